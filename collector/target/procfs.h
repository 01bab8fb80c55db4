// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
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
  // What all its threads have used since it began, ended ones included, in user and in kernel mode; a multiple of the
  // kernel's clock tick (10 ms). Errors as identity().
  Result<Duration> cpu_time(int pid) const;
  // Path of the executable, as it was when it is deleted or replaced by now. not_found for kernel threads.
  Result<std::string> exe(int pid) const;
  // A path through which the executable can be opened, whatever its mount namespace, and also when it is deleted.
  std::string exe_path(int pid) const { return file(pid, "exe"); }
  // A path through which we reach what a process means by `path`, from its root or its working directory.
  std::string path_as_seen_by(int pid, const std::string& path) const {
    return path.starts_with('/') ? file(pid, "root") + path : file(pid, "cwd/") + path;
  }
  std::optional<std::uint32_t> uid(int pid) const;
  // Its pid as it sees it itself, in its own pid namespace: `pid` itself outside of containers. Of threads likewise.
  int own_pid(int pid) const;
  // The process that a thread is of.
  std::optional<int> process_of(int thread) const;
  std::optional<int> parent(int pid) const;
  // It has been forked off a process that runs the same program, and has not executed one itself (yet): what a fork or
  // vfork looks like from outside. Only where the beginning of its stack may be read.
  bool only_forked(int pid, const ProcessIdentity& identity) const;
  // Its name in the process table, at most 15 bytes, which everybody may see. Empty when there is no such process.
  std::string command(int pid) const;
  // Its first argument: what it was called as. Empty when it has none.
  std::string argv0(int pid) const;
  Result<std::vector<Mapping>> maps(int pid) const;
  // Its threads: ids here by those in its own pid namespace.
  std::map<std::uint64_t, int> threads(int pid) const;
  // Number of the system call that a thread is in. Nothing when it is in none, or may not be asked.
  std::optional<int> system_call(int pid, int thread) const;
  // What a descriptor stands for: a path, or the kernel's name for it ("socket:[INODE]", "pipe:[INODE]").
  Result<std::string> descriptor(int pid, std::uint64_t fd) const;
  // The kernel's table of sockets of a kind ("tcp", "unix", …) in the network namespace of a process.
  std::string socket_table_path(int pid, const std::string& kind) const { return file(pid, "net/") + kind; }
  std::uint64_t resident_bytes(int pid) const;
  // Path of the process in the unified cgroup hierarchy, else in systemd's named one; empty when it has none.
  std::string cgroup(int pid) const;
  // Its paths in all hierarchies, each once, the one of cgroup() first; without roots.
  std::vector<std::string> cgroups(int pid) const;
  // Of the machine; 0 when unknown.
  std::uint64_t memory_total() const;
  // kernel.yama.ptrace_scope; 0 without Yama.
  int yama_scope() const;
  // Of this process: bit CAP_… of linux/capability.h.
  std::uint64_t effective_capabilities() const;

 private:
  std::string file(int pid, const char* name) const { return root_ + "/" + std::to_string(pid) + "/" + name; }

  std::string root_;
};

// When a process that started that many clock ticks after boot did so, on the monotonic clock.
Instant start_instant(std::uint64_t ticks);

}  // namespace goleakd::target
