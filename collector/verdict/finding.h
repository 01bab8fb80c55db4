// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "base/clock.h"
#include "verdict/group.h"
#include "verdict/growth.h"
#include "verdict/leak.h"
#include "verdict/process_facts.h"
#include "verdict/stalls.h"
#include "verdict/thresholds.h"

namespace goleakd::verdict {

// What one evaluation says of one group.
struct Judgement {
  std::optional<Evidence> evidence;  // the strongest that holds; none: nothing to say against it
  Growth growth;
  bool grows = false;    // growth was checked, and holds
  bool settled = false;  // growth was checked, and the window saw no rise at all
  std::optional<Stall> stall;
};

// Of goroutines stuck in one place. Growth: none until it can be checked. `stall`: of the pool that they are most of;
// null where it has not stalled.
Judgement judge(const Group& group, const std::optional<Growth>& quick, const std::optional<Growth>& slow,
                const Stall* stall);
// Of all goroutines of a site: whether they pile up though they run, or wake.
Judgement judge(const std::optional<Growth>& quick, const std::optional<Growth>& slow, const Thresholds& thresholds);

// The life of one leak: suspect → leaking → resolved, with hysteresis on both edges.
class Finding {
 public:
  Finding(const Group& group, Evidence evidence, Instant now);

  const Leak& leak() const { return leak_; }
  // It accounts for growth of its site.
  bool has_grown() const { return grown_ && leak_.stage != Stage::resolved; }

  // New counts between two evaluations. group: null when it is gone.
  void refresh(const Group* group);

  // One evaluation. False: it is over, forget it.
  bool evaluate(const Group* group, const Judgement& judgement, const ProcessFacts& process,
                const Thresholds& thresholds, Instant now);

 private:
  Severity severity(const ProcessFacts& process) const;
  std::string reasoning(const Judgement& judgement, const Thresholds& thresholds, Instant now) const;

  Leak leak_;
  bool grown_ = false;    // it has grown, and has not settled since
  bool stopped_ = false;  // of a pool that has stalled, and stays so until the program itself lets them go
  // What had become more by as many when it last grew.
  enum class Company : std::uint8_t { none, connections, requests } company_ = Company::none;
  int agreeing_ = 0;  // evaluations in a row that confirm a suspect, or bring back a resolved one
  int fading_ = 0;    // evaluations in a row below half of the peak
  Instant resolved_at_;
};

}  // namespace goleakd::verdict
