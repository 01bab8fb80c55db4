// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "probe/plan.h"
#include "probe/prober.h"
#include "target/process.h"

namespace goleakd::daemon {

// A probe in one process that is to catch somebody: it is in place only while somebody is sought, in turns.
class CatchingProbe {
 public:
  // `group`: spawners, wakers or objects. Borrows `process`.
  CatchingProbe(const target::GoProcess& process, probe::Group group) : process_(process), group_(group) {}

  // Puts the probe in for as long as `turn`, where its turn has come, and takes it away when that is over or nothing is
  // sought any more; a turn of 0 is none. `window_hits`: more are a storm, which ends the turn, and after which the
  // pause is longer each time.
  void adjust(probe::Prober& prober, const probe::Plan& plan, const std::vector<probe::Wanted>& sought, Duration turn,
              std::uint32_t window_hits, Instant now);

  bool attached() const { return probe_ != nullptr; }
  // Of what it catches now.
  std::optional<std::uint16_t> slot() const;
  // Since the process is watched.
  goleakd_counters counters() const;
  // For how long it was in place.
  Duration looked(Instant now) const {
    return looked_ + (attached() ? std::max(now - began_, Duration(0)) : Duration(0));
  }
  // Somebody came in this turn whose record found no room, or who could not be looked at.
  bool lost() const;
  // Hits a second in the last turn; nothing before the first one has ended, or when that was a storm.
  std::optional<double> hit_rate() const { return hit_rate_; }

 private:
  void end_turn(Instant now, bool storm);

  const target::GoProcess& process_;
  probe::Group group_;
  std::unique_ptr<probe::Attachment> probe_;
  Instant began_;
  Instant next_turn_;
  Duration pause_{};  // after the next storm
  Duration looked_{};
  std::optional<double> hit_rate_;
  goleakd_counters past_{};  // of turns that have ended
};

}  // namespace goleakd::daemon
