// SPDX-License-Identifier: Apache-2.0
#include "target/process.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "target/service_name.h"

namespace goleakd::target {
namespace {

Error permission_denied(const Procfs& proc, int pid) {
  const auto owner = proc.uid(pid);
  return {ErrorKind::permission, "process " + std::to_string(pid) + " belongs to " +
                                     (owner ? "uid " + std::to_string(*owner) : std::string("another user")) +
                                     " and may not be read by uid " + std::to_string(::geteuid()) +
                                     ": run goleakd as root, or give it CAP_SYS_PTRACE"};
}

// Where the program was loaded: the difference between its first mapping and the segment that this mapping shows.
Result<std::uint64_t> find_load_bias(const Procfs& proc, int pid, const std::string& exe, const ElfFile& elf) {
  const auto maps = proc.maps(pid);
  if (!maps) return fail(maps.error());
  const auto first = std::ranges::find(*maps, exe, &Procfs::Mapping::path);
  if (first == maps->end())
    return fail(ErrorKind::gone, "process " + std::to_string(pid) + " has no mapping of " + exe);
  const auto page_mask = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) - 1;
  for (const ElfFile::Segment& segment : elf.segments()) {
    if ((segment.offset & ~page_mask) == first->offset) return first->start - (segment.address & ~page_mask);
  }
  return fail(ErrorKind::invalid,
              exe + ": no segment is mapped where process " + std::to_string(pid) + " has its first");
}

}  // namespace

// The file is opened once: what a path leads to may be another file a moment later.
Result<std::shared_ptr<const GoBinary>> BinaryCache::open(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) return fail(Error::from_errno(errno, "opening " + path));
  const FileKey key{status.st_dev, status.st_ino, status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec,
                    status.st_size};
  if (auto shared = known_[key].lock()) return shared;
  std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
  auto binary = GoBinary::open(std::move(fd), path);
  if (binary) known_[key] = *binary;
  return binary;
}

Result<GoProcess> GoProcess::open(const Procfs& proc, BinaryCache& binaries, int pid) {
  GoProcess process;
  process.pid = pid;
  const auto identity = proc.identity(pid);
  if (!identity) return fail(identity.error());
  process.identity = *identity;
  process.started = start_instant(identity->start_ticks);
  auto exe = proc.exe(pid);
  if (!exe) {
    if (exe.error().kind() == ErrorKind::permission) return fail(permission_denied(proc, pid));
    if (exe.error().kind() == ErrorKind::not_found) {
      return fail(ErrorKind::not_found,
                  "process " + std::to_string(pid) + " has no executable (a kernel thread, or a zombie)");
    }
    return fail(exe.error());
  }
  process.exe = std::move(*exe);
  auto binary = binaries.open(proc.exe_path(pid));
  if (!binary) {
    if (binary.error().kind() == ErrorKind::permission) return fail(permission_denied(proc, pid));
    if (binary.error().kind() == ErrorKind::not_found) {
      return fail(ErrorKind::not_found,
                  "process " + std::to_string(pid) + " (" + process.exe + ") is not a Go program");
    }
    return fail(binary.error().within(process.exe));
  }
  process.binary = std::move(*binary);
  if (process.binary->elf().position_independent()) {
    const auto bias = find_load_bias(proc, pid, process.exe, process.binary->elf());
    if (!bias) return fail(bias.error().kind() == ErrorKind::permission ? permission_denied(proc, pid) : bias.error());
    process.load_bias = *bias;
  }
  process.service = service_name(proc.cgroup(pid), process.exe);
  if (!process.alive(proc)) {  // all of the above must be of one program
    return fail(ErrorKind::gone, "process " + std::to_string(pid) + " has executed another program meanwhile");
  }
  return process;
}

bool GoProcess::alive(const Procfs& proc) const {
  const auto now = proc.identity(pid);
  return now && *now == identity;
}

}  // namespace goleakd::target
