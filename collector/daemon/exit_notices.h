// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace goleakd::daemon {

// A thread that has called exit_group or execve. It stands there, its process whole and its other threads running,
// until it is let go.
struct ExitNotice {
  std::uint64_t id = 0;
  int thread = 0;  // as this process sees it; any thread of its process
  bool executes = false;
  int status = 0;          // that the process is about to exit with
  std::uint64_t path = 0;  // address of the path that it executes, in its memory
};

// Halts every process below one at its exit, and before it executes a program (seccomp user notification). Needs no
// privileges.
class ExitNotices {
 public:
  // unsupported: the kernel, or what confines this process, can't do it.
  static Result<void> supported();
  // For a process that is about to become the one to watch: it and all that it starts from now on notify the descriptor
  // that is returned; -1 with errno. Async-signal-safe.
  static int install();

  explicit ExitNotices(UniqueFd listener);

  // Readable (POLLIN) when there is a notice; POLLHUP alone when no process is left.
  int fd() const { return listener_.get(); }
  // To be called when there is one. Nothing when it has vanished: a signal interrupts the call, which is then made
  // again, with another id.
  Result<std::optional<ExitNotice>> next();
  // The process exits, with its own status. One that has vanished may be let go, too.
  void let_go(std::uint64_t id) const;

 private:
  UniqueFd listener_;
  std::vector<std::byte> notice_;  // as large as this kernel's
};

}  // namespace goleakd::daemon
