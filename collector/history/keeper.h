// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "history/recorder.h"
#include "history/resolution.h"
#include "verdict/report.h"

namespace goleakd::history {

struct Settings {
  std::string path;
  std::uint64_t max_bytes = 0;
  Duration interval{};  // of the finest samples
  std::string boot;     // tells one start of the machine from another
};

// Keeps the file: opens it, records into it, ages it, and lets go of it when that fails, to try again later. Blocks as
// long as the disk does: not for the daemon's loop.
class Keeper {
 public:
  // `warn` is told in sentences what the operator should know.
  Keeper(Settings settings, std::function<void(const std::string&)> warn);

  void take(const verdict::Report& report);
  const verdict::HistoryReport& status() const { return status_; }

 private:
  Result<void> open(Instant now);
  void give_up(const Error& error, Instant now);
  void sampled(Seconds now);
  Result<void> maintain(Seconds now);

  Settings settings_;
  std::function<void(const std::string&)> warn_;
  UniqueFd lock_;
  std::optional<Recorder> recorder_;  // after the lock: it is closed first
  std::optional<Instant> retry_at_;
  std::optional<Seconds> last_sample_;  // the step that it is in
  std::uint64_t missed_ = 0;            // up to that
  std::uint64_t samples_before_ = 0;    // by recorders that were let go
  std::uint64_t left_out_before_ = 0;   // likewise
  Seconds next_maintenance_ = 0;
  Seconds next_slow_look_ = 0;
  std::set<std::string> warned_of_;  // sites
  verdict::HistoryReport status_;
};

}  // namespace goleakd::history
