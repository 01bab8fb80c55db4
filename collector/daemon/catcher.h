// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "daemon/catching_probe.h"
#include "probe/plan.h"
#include "probe/prober.h"
#include "target/process.h"
#include "verdict/report.h"

namespace goleakd::daemon {

// Catches, in one process, the first few goroutines that start or wake those of a suspect, and keeps their stacks.
class Catcher {
 public:
  // `group`: spawners or wakers. Borrows `process`.
  Catcher(const target::GoProcess& process, probe::Group group) : process_(process), probe_(process, group) {}

  // What is caught for goroutines of these `go` statements, and of wakers, that wait for this reason, is known as `id`.
  void want(const std::string& id, const std::vector<std::uint64_t>& gopcs, std::uint8_t wait_reason = 0);

  // As the probe's own.
  void adjust(probe::Prober& prober, const probe::Plan& plan, Duration turn, std::uint32_t window_hits, Instant now) {
    probe_.adjust(prober, plan, wanted(), turn, window_hits, now);
  }
  void add(const probe::Caught& caught);

  const CatchingProbe& probe() const { return probe_; }

  // By id; most frequent first.
  const std::map<std::string, std::vector<verdict::CaughtStack>>& known() const { return known_; }

 private:
  using Key = std::pair<std::uint64_t, std::uint8_t>;  // gopc and reason
  std::vector<probe::Wanted> wanted() const;

  const target::GoProcess& process_;
  CatchingProbe probe_;
  std::map<Key, std::set<std::string>> ids_;
  std::map<Key, std::uint32_t> caught_;  // how often
  std::map<std::string, std::vector<verdict::CaughtStack>> known_;
};

}  // namespace goleakd::daemon
