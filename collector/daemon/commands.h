// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "ledger/goroutine_filter.h"
#include "ledger/goroutine_groups.h"
#include "verify/ignore.h"
#include "verify/report.h"

namespace goleakd::daemon {

// What the command line can ask for. Each prints to standard output and tells progress, if any, on standard error.

struct RunOptions {
  std::string config;  // file; empty: /etc/goleakd/goleakd.yaml when it exists, else the defaults
  bool check_config = false;
};
// Until SIGINT or SIGTERM; on SIGHUP it loads its configuration again.
Result<void> run(const RunOptions& options);

enum class Format { text, json };

Result<void> list(Format format);

enum class DumpFormat { text, json, pprof };
struct DumpOptions {
  std::optional<int> pid;  // a running process, or:
  std::string core;        // a core file,
  std::string binary;      // and its executable where that is elsewhere now
  DumpFormat format = DumpFormat::text;
  std::string output;  // file; empty: standard output
  ledger::GoroutineFilter filter;
  std::optional<ledger::GroupBy> group_by;
  std::size_t limit = 0;  // goroutines, or groups; 0: all
  bool details = false;   // in text, what they wait on and their labels; always so on a terminal and for groups
};
Result<void> dump(const DumpOptions& options);

struct LeaksOptions {
  std::optional<int> pid;
  Format format = Format::text;
  std::string socket = "/run/goleakd/goleakd.sock";
  bool socket_given = false;
  Duration watch_for = std::chrono::minutes(1);  // without a daemon
  std::optional<Duration> again_every;           // ask the daemon again and again, until it does not answer any more
};
// From the running daemon; without one it watches `pid` itself for a while, with the windows shortened to fit.
Result<void> leaks(const LeaksOptions& options);

// What history has of every leak that was ever found, whether a daemon runs or not.
struct LeaksHistoryOptions {
  std::optional<int> pid;  // of the service that this process belongs to, or did last
  Format format = Format::text;
  std::string file;  // empty: the one that the configuration names
};
Result<void> leaks_history(const LeaksHistoryOptions& options);

struct AcceptOptions {
  std::optional<int> pid;          // of this process only
  std::vector<std::string> leaks;  // ids; empty: all
  std::string reason;
  std::optional<std::chrono::sys_days> until;
  std::optional<std::uint64_t> up_to;
  std::string config;  // file, in whose folder of drop-ins the rules go; empty: the default one
  std::string output;  // instead: a file, or "-" for standard output
  std::string socket = "/run/goleakd/goleakd.sock";
};
// Writes rules by which the running daemon leaves the leaks alone that it has found (daemon/accepted.h).
Result<void> accept(const AcceptOptions& options);

struct VerifyOptions {
  std::vector<std::string> command;
  verify::IgnoreRules rules;
  std::vector<std::string> only;  // globs: verify::is_selected
  Duration settle = std::chrono::seconds(2);
  bool run_on_failure = false;  // judge programs that fail, too
  std::string baseline;         // files; empty: none
  std::string write_baseline;
  std::string junit;
  std::string output;  // of the report; empty: standard error
  Format format = Format::text;
  bool verbose = false;  // report also when there is nothing to say
  int leaks_code = verify::ExitCodes::kLeaks;
};
// Runs a command and judges every Go program in it at its end. Gives the exit code (verify::exit_code).
Result<int> verify_command(const VerifyOptions& options);

std::string version();
// For people: versions of goleakd and libbpf, and the Go versions that it knows.
std::string version_text();

// 0 success; 2 wrong usage; 3 the host or its permissions do not allow it; 1 everything else (docs/operating.md).
int exit_code(const Error& error);

}  // namespace goleakd::daemon
