// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "probe/plan.h"
#include "probe/prober.h"
#include "target/process.h"
#include "verdict/report.h"

namespace goleakd::daemon {

// Catches, in one process, the first few goroutines that start or wake those of a suspect, and keeps their stacks. Its
// probe is in place only while some are still sought, in turns.
class Catcher {
 public:
  // `group`: spawners or wakers. Borrows `process`.
  Catcher(const target::GoProcess& process, probe::Group group) : process_(process), group_(group) {}

  // What is caught for goroutines of these `go` statements, and of wakers, that wait for this reason, is known as `id`.
  void want(const std::string& id, const std::vector<std::uint64_t>& gopcs, std::uint8_t wait_reason = 0);

  // Puts the probe in for as long as `turn`, where its turn has come, and takes it away when that is over or nothing is
  // sought any more; a turn of 0 is none. `window_hits`: more are a storm, which ends the turn.
  void adjust(probe::Prober& prober, const probe::Plan& plan, Duration turn, std::uint32_t window_hits, Instant now);
  void add(const probe::Caught& caught);

  std::optional<std::uint16_t> slot() const;
  bool attached() const { return probe_ != nullptr; }
  // Counters of the probe since the process is watched.
  goleakd_counters counters() const;
  // For how long the probe was in place.
  Duration looked(Instant now) const { return looked_ + (attached() ? now - began_ : Duration(0)); }

  // By id; most frequent first.
  const std::map<std::string, std::vector<verdict::CaughtStack>>& known() const { return known_; }

 private:
  using Key = std::pair<std::uint64_t, std::uint8_t>;  // gopc and reason
  std::vector<probe::Wanted> wanted() const;
  void end_turn(Instant now);

  const target::GoProcess& process_;
  probe::Group group_;
  std::map<Key, std::set<std::string>> ids_;
  std::map<Key, std::uint32_t> caught_;  // how often
  std::map<std::string, std::vector<verdict::CaughtStack>> known_;

  std::unique_ptr<probe::Attachment> probe_;
  Instant began_;
  Instant next_turn_;
  Duration looked_{};
  goleakd_counters past_{};  // of turns that have ended
};

}  // namespace goleakd::daemon
