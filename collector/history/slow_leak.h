// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "history/resolution.h"

namespace goleakd::history {

// Leaks that are too slow for the verdicts' windows, or that a restart every night takes away before anybody minds:
// from one process to the next a creation site begins with about as many goroutines, and each time they rise with
// uptime. The one table of what counts (docs/history.md shows it).
struct SlowLeakThresholds {
  std::size_t runs = 3;             // processes that can be judged, at least
  std::size_t runs_looked_at = 14;  // the newest
  Seconds least_uptime = 3600;      // a shorter one can't be judged
  double watched_from = 0.1;        // nor one that was not watched from this part of its uptime on
  std::size_t parts = 8;            // of equal length, of the time that a process was watched
  std::size_t rises = 6;            // its floor is higher in so many parts than in the part before
  double rising = 0.8;              // of the processes rise, at least
  double starts_apart = 0.25;       // a rise begins no further than this share of the usual rise from the usual start
  double slopes_apart = 3;          // nor is it so many times as steep as usual, or as flat
};

// What samples of a site say of one process. Their floor counts, the least from then on until the end: goroutines that
// come back, as load does, are not in it, and goroutines that never end are.
class RunCounts {
 public:
  // When the process started, and from when to when it was watched.
  RunCounts(Seconds started, Seconds first_seen, Seconds last_seen, std::size_t parts);
  // The least that a sample has seen.
  void add(Seconds at, std::uint64_t least);

  bool can_be_judged(const SlowLeakThresholds& thresholds) const;
  // Of each part that has samples.
  std::vector<std::uint64_t> floors() const;
  double hours() const;  // from the middle of the first part to that of the last

 private:
  Seconds started_;
  Seconds first_seen_;
  Seconds last_seen_;
  std::vector<std::optional<std::uint64_t>> least_;  // by part
};

struct SlowTrend {
  std::size_t runs = 0;    // judged
  std::size_t rising = 0;  // of them
  double per_hour = 0;     // of uptime; the median, like the others
  double start = 0;        // floor at the begin of a process
  double rise = 0;         // until its end
};

// Of one creation site, the newest process first. Nothing when that is no such leak, or can't be told.
std::optional<SlowTrend> slow_trend(std::span<const RunCounts> runs, const SlowLeakThresholds& thresholds);

}  // namespace goleakd::history
