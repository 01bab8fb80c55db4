// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace goleakd::daemon {

// What the command line can ask for. Each prints to standard output and tells progress, if any, on standard error.

struct RunOptions {
  std::string config;  // file; empty: /etc/goleakd/goleakd.yaml when it exists, else the defaults
  bool check_config = false;
};
// Until SIGINT or SIGTERM.
Result<void> run(const RunOptions& options);

enum class Format { text, json };

Result<void> list(Format format);
Result<void> dump(int pid, Format format);

struct LeaksOptions {
  std::optional<int> pid;
  Format format = Format::text;
  std::string socket = "/run/goleakd/goleakd.sock";
  bool socket_given = false;
  Duration watch_for = std::chrono::minutes(1);  // without a daemon
};
// From the running daemon; without one it watches `pid` itself for a while, with the windows shortened to fit.
Result<void> leaks(const LeaksOptions& options);

std::string version();
// For people: versions of goleakd and libbpf, and the Go versions that it knows.
std::string version_text();

// 0 success; 2 wrong usage; 3 the host or its permissions do not allow it; 1 everything else (docs/operating.md).
int exit_code(const Error& error);

}  // namespace goleakd::daemon
