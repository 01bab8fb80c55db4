// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "daemon/commands.h"

namespace goleakd::daemon {

struct CheckOptions {
  std::optional<int> pid;
  Format format = Format::text;
};

// Prints what this host allows (kernel, BPF, uprobes, capabilities, ptrace), and how far one process can be watched.
// The error, after all has been printed, says that something is missing: of the process when one was asked for, else
// of the host.
Result<void> check(const CheckOptions& options);

// Prints where each probe would stand in an executable, and how the kernel treats the instruction there. The error,
// after that, says that some are refused.
Result<void> check_probes(const std::string& path, Format format);

}  // namespace goleakd::daemon
