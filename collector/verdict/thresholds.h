// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace goleakd::verdict {

// When a suspicion becomes a verdict. The one table of defaults (docs/verdicts.md shows it); each is a configuration
// key.
struct Thresholds {
  std::chrono::nanoseconds quiet_after_start =
      std::chrono::minutes(2);  // of the process: nothing grows by merely warming up
  std::chrono::nanoseconds growing_window = std::chrono::minutes(5);
  int growing_intervals = 10;  // the window is sampled this many times
  int growing_rises = 8;       // in at least this many intervals the stuck count rose
  double growing_survival =
      0.95;  // of those stuck for an interval, this share is still in the same park an interval later
  // Slow leaks, and goroutines that never end though they do wake, are looked for over this one, in as many intervals.
  // No shorter than growing_window, and taken as a multiple of it.
  std::chrono::nanoseconds accumulating_window = std::chrono::minutes(30);
  double spinning_awake = 0.95;  // of all looks at a site's goroutines over the window, this share found them awake
  // So long in one and the same park before it counts as stuck: for deadlocks and for pools that have stalled, where it
  // says no more than that nobody is just about to go on.
  std::chrono::nanoseconds stuck_after = std::chrono::seconds(60);
  std::chrono::nanoseconds cancelled_after = std::chrono::seconds(60);  // the context: time to clean up
  std::chrono::nanoseconds stale_after = std::chrono::hours(1);
  int confirm_windows = 2;  // suspect → leaking: consecutive evaluations that agree
  int resolve_windows = 2;  // leaking → resolved: consecutive evaluations below half of the peak
  std::chrono::nanoseconds keep_resolved = std::chrono::minutes(15);  // a resolved leak is still shown, at its count

  bool operator==(const Thresholds&) const = default;

  std::chrono::nanoseconds interval() const { return growing_window / growing_intervals; }
};

}  // namespace goleakd::verdict
