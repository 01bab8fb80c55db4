// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace goleakd::target {

// What tells one life of one program from every other: pids are used again, and execve keeps them, start time and often
// the path as well. Where the stack begins is random and new with each execve (0 when it may not be read).
struct ProcessIdentity {
  std::uint64_t start_ticks = 0;  // clock ticks after boot
  std::uint64_t start_stack = 0;
  std::uint64_t device = 0;  // of the executable; 0 when there is none, or it may not be seen
  std::uint64_t inode = 0;
  bool operator==(const ProcessIdentity&) const = default;
};

// Reads /proc. The root is a parameter so that tests can hand in a recorded tree.
class Procfs {
 public:
  explicit Procfs(std::string root = "/proc") : root_(std::move(root)) {}

  struct Mapping {
    std::uint64_t start = 0;
    std::uint64_t end = 0;
    std::uint64_t offset = 0;
    std::string path;  // without " (deleted)"
  };

  // Every process, kernel threads included, ascending.
  std::vector<int> pids() const;
  // not_found when there is no such process, gone when it has ended and only its parent has not noticed yet.
  Result<ProcessIdentity> identity(int pid) const;
  // Path of the executable, as it was when it is deleted or replaced by now. not_found for kernel threads.
  Result<std::string> exe(int pid) const;
  // A path through which the executable can be opened, whatever its mount namespace, and also when it is deleted.
  std::string exe_path(int pid) const { return file(pid, "exe"); }
  std::optional<std::uint32_t> uid(int pid) const;
  Result<std::vector<Mapping>> maps(int pid) const;
  std::uint64_t resident_bytes(int pid) const;
  // Path of the process in the unified cgroup hierarchy, else in systemd's named one; empty when it has none.
  std::string cgroup(int pid) const;
  // Of the machine; 0 when unknown.
  std::uint64_t memory_total() const;

 private:
  std::string file(int pid, const char* name) const { return root_ + "/" + std::to_string(pid) + "/" + name; }

  std::string root_;
};

// When a process that started that many clock ticks after boot did so, on the monotonic clock.
Instant start_instant(std::uint64_t ticks);

}  // namespace goleakd::target
