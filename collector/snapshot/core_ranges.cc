// SPDX-License-Identifier: Apache-2.0
#include "snapshot/core_ranges.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

namespace goleakd::snapshot {
namespace {

constexpr std::uint64_t kMaxOffset = std::numeric_limits<off_t>::max();

}  // namespace

Result<void> read_file(int fd, const std::string& path, std::uint64_t offset, std::span<std::uint8_t> into) {
  if (into.size() > kMaxOffset || offset > kMaxOffset - into.size()) {
    return fail(ErrorKind::invalid, fmt::format("{}: no file has an offset of {:#x}", path, offset));
  }
  for (std::size_t done = 0; done < into.size();) {
    const auto at = static_cast<off_t>(offset + done);
    const ssize_t got = ::pread(fd, into.data() + done, into.size() - done, at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Error::from_errno(errno, "reading " + path));
    if (got == 0) {
      struct stat status {};
      ::fstat(fd, &status);
      return fail(ErrorKind::invalid, fmt::format("{} is cut short at {} bytes", path, status.st_size));
    }
    done += static_cast<std::size_t>(got);
  }
  return {};
}

Result<FileRanges> FileRanges::make(UniqueFd fd, std::string path, std::vector<FileRange> ranges) {
  std::erase_if(ranges, [](const FileRange& range) { return range.size == 0; });
  std::ranges::sort(ranges, {}, &FileRange::address);
  std::uint64_t end = 0;
  for (const FileRange& range : ranges) {
    if (range.size > kMaxOffset || range.offset > kMaxOffset - range.size ||
        range.address + range.size < range.address) {
      return fail(ErrorKind::invalid, fmt::format("{}: {:#x} bytes at offset {:#x} for address {:#x} cannot be", path,
                                                  range.size, range.offset, range.address));
    }
    if (range.address < end) {
      return fail(ErrorKind::invalid, fmt::format("{} holds the memory at {:#x} twice", path, range.address));
    }
    end = range.address + range.size;
  }
  return FileRanges(std::move(fd), std::move(path), std::move(ranges));
}

Result<std::size_t> FileRanges::read(std::uint64_t address, std::span<std::uint8_t> into) const {
  auto range = std::ranges::upper_bound(ranges_, address, {}, &FileRange::address);
  if (range == ranges_.begin()) return 0;
  --range;
  const std::uint64_t skip = address - range->address;
  if (skip >= range->size) return 0;
  const std::size_t size = std::min<std::uint64_t>(into.size(), range->size - skip);
  if (auto ok = read_file(fd_.get(), path_, range->offset + skip, into.first(size)); !ok) {
    return fail(ok.error().within(fmt::format("memory at {:#x}", address)));
  }
  return size;
}

}  // namespace goleakd::snapshot
