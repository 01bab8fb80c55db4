// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "daemon/exit_notices.h"

namespace goleakd::daemon {

// A command that runs as this process's child, and halts with all that it starts at their exits (ExitNotices).
struct GatedCommand {
  int pid = 0;
  UniqueFd process;  // pidfd: readable when it has ended
  ExitNotices notices;
  int not_started = 0;  // errno of the execve, and then there is no child any more; 0: it runs
};

// Looked for along PATH, as shells do. Signals are delivered to it as they were to this process when `mask` was in
// force. An error means that the host does not allow it; that the command can't be run is none.
Result<GatedCommand> start_gated(const std::vector<std::string>& command, const sigset_t& mask);

}  // namespace goleakd::daemon
