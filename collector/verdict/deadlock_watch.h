// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "ledger/ledger.h"
#include "verdict/deadlock.h"
#include "verdict/group.h"
#include "verdict/leak.h"
#include "verdict/lock_graph.h"
#include "verdict/thresholds.h"

namespace goleakd::verdict {

// Since when, at least, the longest of those who wait for a lock or a wait group does; nothing when nobody does.
std::optional<Instant> lock_awaited_since(const std::map<std::string, Group>& groups);

// Deadlocks of one process, from look to look. A cycle is one finding with all its members, and those that stand in the
// same places are one together. Pure.
class DeadlockWatch {
 public:
  DeadlockWatch(std::string service, const Thresholds& thresholds)
      : service_(std::move(service)), thresholds_(thresholds) {}

  void change(const Thresholds& thresholds) { thresholds_ = thresholds; }

  // It is time to look who holds which lock: somebody has waited for one since `awaited_since`, which is long enough,
  // or a deadlock that was found is to be seen again. Every half a minute, and at each snapshot while there is
  // something to confirm.
  bool due(std::optional<Instant> awaited_since, Instant now) const;

  void look(const LockGraph& graph, const ledger::Ledger& ledger, Instant now);

  std::vector<Leak> leaks() const;
  std::uint64_t detected() const { return detected_; }  // that have become leaking, ever
  std::optional<Instant> last_run() const { return looked_; }

 private:
  struct Known {
    Leak leak;
    std::set<ledger::Goid> members;
    int agreeing = 0;  // looks in a row that show it
    int missing = 0;   // looks in a row that do not
    Instant resolved_at;
  };

  static constexpr std::size_t kMaxMembers = 8;  // that are shown

  std::vector<DeadlockMember> shown(std::vector<DeadlockMember> members) const;
  Leak describe(const LockGraph& graph, const std::vector<Deadlock>& together, const ledger::Ledger& ledger) const;
  std::string id_of(const LockGraph& graph, const Deadlock& deadlock, const ledger::Ledger& ledger) const;
  void age(Known& known, bool seen, Instant now);

  std::string service_;
  Thresholds thresholds_;
  std::map<std::string, Known> known_;  // by leak id
  std::uint64_t detected_ = 0;
  std::optional<Instant> looked_;
};

}  // namespace goleakd::verdict
