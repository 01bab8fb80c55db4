// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "ledger/ledger.h"
#include "verdict/group.h"
#include "verdict/thresholds.h"

namespace goleakd::verdict {

// How the stuck goroutines of one group have moved over the window.
struct Growth {
  bool holds = false;  // the group grows, by the thresholds
  int intervals = 0;
  int rises = 0;           // in so many of them the stuck count rose
  double survival = 0;     // the share of those stuck at an evaluation who were still in the same park at the next
  std::uint64_t from = 0;  // stuck, at the window's begin
  std::uint64_t to = 0;    // and now
  Duration over{};
  double per_hour = 0;  // goroutines
};

// The evaluations of the last window. Transient goroutines never count: only those that have been in one park for an
// interval do. So a busy site is silent however its load moves, and a path of it that leaks one goroutine in ten is
// found.
class GrowthWindow {
 public:
  explicit GrowthWindow(const Thresholds& thresholds) : thresholds_(thresholds) {}

  // One evaluation.
  void add(Instant now, const std::map<std::string, Group>& groups, const std::map<std::string, std::uint64_t>& live);

  // Holds a whole window, which began no earlier than `quiet_until`.
  bool complete(Instant quiet_until) const;

  // Of the group, against the live count of its creation site. A group that is not there has a count of 0.
  Growth of(const std::string& leak_id, const std::string& site_id) const;

 private:
  struct Stuck {
    std::uint64_t aged = 0;
    std::uint64_t survived = 0;
  };
  struct Evaluation {
    Instant at;
    std::map<std::string, Stuck> groups;
    std::map<std::string, std::uint64_t> live;  // by site id
  };

  Thresholds thresholds_;
  std::deque<Evaluation> evaluations_;
};

}  // namespace goleakd::verdict
