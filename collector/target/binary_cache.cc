// SPDX-License-Identifier: Apache-2.0
#include "target/binary_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <set>
#include <utility>
#include <vector>

namespace goleakd::target {
namespace {

// What is known of a file that is no Go program is a line of text.
constexpr std::size_t kMaxFiles = 4096;
// A program that nobody needs any more keeps a descriptor open, even where it shares all else with another.
constexpr std::ptrdiff_t kMaxSpare = 128;

// Build ids would say the same for less, but anybody can write any build id into a file: a program must not be watched
// by the addresses of another.
bool same_contents(int left, int right, std::uint64_t size) {
  constexpr std::uint64_t kChunk = 1U << 20U;
  std::vector<std::uint8_t> bytes(std::min(size, kChunk));
  std::vector<std::uint8_t> others(bytes.size());
  for (std::uint64_t at = 0; at < size;) {
    const std::uint64_t length = std::min(size - at, kChunk);
    const auto offset = static_cast<off_t>(at);
    const auto wanted = static_cast<ssize_t>(length);
    if (::pread(left, bytes.data(), length, offset) != wanted ||
        ::pread(right, others.data(), length, offset) != wanted)
      return false;
    if (bytes != others) return false;
    at += length;
  }
  return true;
}

// Said of the contents, and true as long as they stay: the next one who asks needs no second look.
bool lasting(const Error& error) {
  return error.kind() == ErrorKind::not_found || error.kind() == ErrorKind::unsupported ||
         error.kind() == ErrorKind::invalid;
}

}  // namespace

// The file is opened once: what a path leads to may be another file a moment later.
Result<std::shared_ptr<const GoBinary>> BinaryCache::open(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));  // a FIFO must not hold us up
  if (!fd) return fail(Error::from_errno(errno, "opening " + path));
  return open(std::move(fd));
}

Result<std::shared_ptr<const GoBinary>> BinaryCache::open(UniqueFd fd) {
  const auto key = key_of(fd.get());
  if (!key) return fail(key.error());
  if (const auto found = known_.find(*key); found != known_.end()) {
    found->second.used = ++uses_;
    return found->second.binary;
  }
  auto binary = load(std::move(fd), *key);
  if (binary || lasting(binary.error())) {
    known_.emplace(*key, Entry{.binary = binary, .used = ++uses_});
    make_room();
  }
  return binary;
}

Result<BinaryCache::FileKey> BinaryCache::key_of(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return fail(Error::from_errno(errno, "looking at a file"));
  return FileKey{status.st_dev, status.st_ino, status.st_ctim.tv_sec * 1'000'000'000 + status.st_ctim.tv_nsec,
                 static_cast<std::uint64_t>(status.st_size)};
}

Result<std::shared_ptr<const GoBinary>> BinaryCache::load(UniqueFd fd, const FileKey& key) const {
  const std::string name = "the file";
  const std::uint64_t size = std::get<3>(key);
  for (const auto& [known, entry] : known_) {
    if (!entry.binary || std::get<3>(known) != size) continue;
    const GoBinary& twin = **entry.binary;
    if (!same_contents(fd.get(), twin.elf().fd(), size)) continue;
    // Its file must not have been written to since it was read: this may be that very file.
    if (const auto now = key_of(twin.elf().fd()); now && *now == known) return twin.in_other_file(std::move(fd), name);
  }
  return GoBinary::open(std::move(fd), name);
}

std::size_t BinaryCache::memory() const {
  std::set<const Pclntab*> counted;  // twins share theirs
  std::size_t bytes = 0;
  for (const auto& [key, entry] : known_) {
    if (entry.binary && counted.insert(&(*entry.binary)->functions()).second) bytes += (*entry.binary)->memory();
  }
  return bytes;
}

void BinaryCache::make_room() {
  const auto evict = [this](auto unwanted) {
    auto oldest = known_.end();
    for (auto it = known_.begin(); it != known_.end(); ++it) {
      if (!it->second.needed() && unwanted(it->second) &&
          (oldest == known_.end() || it->second.used < oldest->second.used)) {
        oldest = it;
      }
    }
    if (oldest == known_.end()) return false;
    known_.erase(oldest);
    return true;
  };
  const auto is_program = [](const Entry& entry) { return entry.binary.has_value(); };
  const auto spare = [&] {
    return std::ranges::count_if(known_, [](const auto& known) { return known.second.spare(); });
  };
  while ((memory() > memory_limit_ || spare() > kMaxSpare) && evict(is_program)) {
  }
  while (known_.size() > kMaxFiles && evict([](const Entry&) { return true; })) {
  }
}

}  // namespace goleakd::target
