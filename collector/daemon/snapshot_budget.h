// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>

#include "base/clock.h"

namespace goleakd::daemon {

// Shares the CPU time that snapshots may take among all targets. As long as everybody's wishes fit below the ceiling
// nobody waits. Beyond it, who asks for little still gets it all, and the others get equal shares of the rest (max-min
// fairness), so that one huge process does not blind goleakd for the small ones. A target with a suspect counts as
// several.
class SnapshotBudget {
 public:
  // `max_cpu`: of one core, above 0.
  explicit SnapshotBudget(double max_cpu) : max_cpu_(max_cpu) {}

  void change(double max_cpu);

  // A snapshot of `pid` that ended at `now` has taken `cpu`; the next one is wished for after `interval` (above 0).
  void spent(int pid, Duration cpu, Duration interval, bool suspect, Instant now);
  void forget(int pid) { targets_.erase(pid); }

  // The time has come for another snapshot as far as the ceiling is concerned. Always so for who has had none.
  bool allows(int pid, Instant now) const;
  // How long the next snapshot comes after the last: at least the interval that was wished for.
  Duration interval(int pid) const;

 private:
  struct Target {
    Duration cost;  // CPU time of its last snapshot
    Duration wished;
    bool suspect = false;
    Instant last;
    Duration interval;
  };
  void share_out();

  double max_cpu_;
  std::map<int, Target> targets_;
};

}  // namespace goleakd::daemon
