// SPDX-License-Identifier: Apache-2.0
#include "target/go_library.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include "target/load_bias.h"

namespace goleakd::target {
namespace {

// Programs with more libraries exist (browsers, 300); one that has thousands wants to keep us busy.
constexpr std::size_t kMaxLibraries = 1024;

// By the name that it has in the process's own mount namespace. No link in there leads out of it: whoever made it must
// not choose among our files.
UniqueFd open_inside(const std::string& root, const std::string& path) {
  const UniqueFd folder(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return {};
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  how.resolve = RESOLVE_IN_ROOT;
  return UniqueFd(static_cast<int>(::syscall(SYS_openat2, folder.get(), path.c_str(), &how, sizeof(how))));
}

}  // namespace

Result<GoLibrary> find_go_library(const Procfs& proc, BinaryCache& binaries, int pid) {
  const auto maps = proc.maps(pid);
  if (!maps) return fail(maps.error());
  const std::string process = "process " + std::to_string(pid);
  const std::string root = std::filesystem::path(proc.exe_path(pid)).replace_filename("root");
  std::map<std::string, std::size_t> mapped;  // how often; a library is mapped once for each segment, data mostly once
  for (const Procfs::Mapping& mapping : *maps) {
    if (mapping.path.starts_with('/') && (mapped.size() < kMaxLibraries || mapped.contains(mapping.path))) {
      ++mapped[mapping.path];
    }
  }
  std::optional<GoLibrary> found;
  for (const auto& [path, times] : mapped) {
    if (times < 2) continue;
    UniqueFd fd = open_inside(root, path);
    if (!fd) continue;  // deleted, or a device: no library that we could read
    auto binary = binaries.open(std::move(fd));
    if (!binary && binary.error().kind() == ErrorKind::unsupported) {
      return fail(binary.error().within(fmt::format("{} loads a Go runtime from {}", process, path)));
    }
    if (!binary) continue;
    if (found) {
      return fail(ErrorKind::unsupported,
                  fmt::format("{} loads several Go runtimes, from {} and {}: goleakd watches one in a process", process,
                              found->path, path));
    }
    const auto bias = load_bias(*std::ranges::find(*maps, path, &Procfs::Mapping::path), (*binary)->elf());
    if (!bias)
      return fail(ErrorKind::invalid, fmt::format("{}: no segment is mapped where {} has its first", path, process));
    found = GoLibrary{.path = path, .binary = std::move(*binary), .load_bias = *bias};
  }
  if (!found) return fail(ErrorKind::not_found, process + " has loaded no Go runtime");
  return std::move(*found);
}

}  // namespace goleakd::target
