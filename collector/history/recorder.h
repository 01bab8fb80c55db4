// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/result.h"
#include "history/database.h"
#include "history/lives.h"
#include "history/resolution.h"
#include "history/runs.h"
#include "history/sites.h"
#include "verdict/report.h"

namespace goleakd::history {

// Writes down what reports tell. Knows what the file holds, and so belongs to it: after an error both are to be opened
// anew.
class Recorder {
 public:
  static Result<Recorder> load(Database database, std::string boot, Duration interval);

  // One look: all of it is written, or nothing.
  Result<void> record(const verdict::Report& report);

  Database& database() { return database_; }
  const std::shared_ptr<const verdict::FirstSeen>& first_seen() const { return lives_.first_seen(); }
  std::uint64_t samples() const { return samples_; }  // taken
  // Creation sites that had several goroutines and are not sampled, for their process has too many of them.
  std::uint64_t sites_left_out() const { return sites_left_out_; }

 private:
  Recorder(Database database, Runs runs, Lives lives, Duration interval)
      : database_(std::move(database)), runs_(std::move(runs)), lives_(std::move(lives)), interval_(interval) {}
  Result<void> sample(const verdict::Report& report, Seconds start, Seconds step);
  Result<void> sample(const verdict::TargetReport& target, std::int64_t run, Seconds start, Seconds step);

  // Of one process.
  struct Sampled {
    std::map<std::string, std::int64_t> sites;  // rows, by site_id
    std::set<std::string> left_out;
  };

  Database database_;
  Sites sites_;
  Runs runs_;
  Lives lives_;
  Duration interval_;
  Seconds last_sample_ = 0;
  std::map<std::int64_t, Sampled> sampled_;  // by run
  std::uint64_t samples_ = 0;
  std::uint64_t taken_ = 0;  // by the look that is not written yet
  std::uint64_t sites_left_out_ = 0;
};

}  // namespace goleakd::history
