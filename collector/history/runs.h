// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "base/result.h"
#include "history/database.h"
#include "history/resolution.h"
#include "verdict/report.h"

namespace goleakd::history {

// Rows of the tables run, version and service: one run for each process, which goes on when another goleakd watches it.
class Runs {
 public:
  // `boot` tells one start of the machine from another. What ran when the machine went down has ended.
  static Result<Runs> load(Database& database, std::string boot);

  // Begins the runs of processes that are old enough, `least_age`, or leaking, and ends those of processes that are not
  // watched any more. Programs that only flash by leave nothing behind.
  Result<void> see(Database& database, const verdict::Report& report, Duration least_age, Seconds now);
  // Writes down until when those that are watched have been.
  Result<void> touch(Database& database, const verdict::Report& report, Seconds now);

  // Of a process that is watched: its run, if it has one.
  std::optional<std::int64_t> of(const verdict::TargetReport& target) const;
  // The process is watched, or may be again: its goleakd has just begun.
  bool lives(std::int64_t run) const { return living_.contains(run); }
  std::optional<std::int64_t> service(const std::string& name) const;

 private:
  // A process, and the program in it.
  using Process = std::tuple<int, std::uint64_t, std::string>;  // pid, start_ticks, build id and Go version
  struct Run {
    std::int64_t id = 0;
    bool seen = false;  // by this goleakd
  };

  explicit Runs(std::string boot) : boot_(std::move(boot)) {}
  static Process process_of(const verdict::TargetReport& target);
  Result<void> begin(Database& database, const verdict::Report& report, const verdict::TargetReport& target,
                     Seconds now);
  Result<void> end(Database& database, const Run& run, Seconds now);

  std::string boot_;
  std::map<Process, Run> runs_;    // of processes that have not ended
  std::set<std::int64_t> living_;  // their ids
  std::map<std::string, std::int64_t> services_;
  std::optional<Instant> began_;  // the first report
};

}  // namespace goleakd::history
