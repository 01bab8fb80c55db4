// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "ledger/ledger.h"
#include "verdict/cancelled.h"
#include "verdict/deadlock_watch.h"
#include "verdict/finding.h"
#include "verdict/group.h"
#include "verdict/growth.h"
#include "verdict/leak.h"
#include "verdict/process_facts.h"
#include "verdict/site_view.h"
#include "verdict/stalls.h"
#include "verdict/thresholds.h"

namespace goleakd::verdict {

// Judges one process. observe() after every snapshot; it evaluates when an interval (Thresholds::interval) has passed
// since the last evaluation, and otherwise only refreshes counts. Pure and deterministic: the same observations give
// the same leaks.
class Engine {
 public:
  Engine(std::string service, Thresholds thresholds);

  // From now on by these. What has been found stays, and windows begin anew where they differ in how they are sampled.
  void change(const Thresholds& thresholds);

  void observe(const ledger::Ledger& ledger, const ProcessFacts& process, Instant now);

  // It is time for a look at who holds which lock, and what it has shown; after observe() of the same snapshot.
  bool wants_locks(Instant now) const { return deadlocks_.due(lock_awaited_since_, now); }
  void observe_locks(LockGraph graph, const ledger::Ledger& ledger, Instant now);

  // What it must know of memory to see pools that have stalled: tell it what it asks for (stalls.h).
  Stalls& stalls() { return stalls_; }
  // What goroutines that stand still do with contexts that have ended: likewise.
  Cancellations& cancellations() { return cancellations_; }

  // Worst first (severity, then stage, then count). Suspects too: whoever shows them says so.
  const std::vector<Leak>& leaks() const { return leaks_; }
  // Findings that have become leaking, ever.
  std::uint64_t detected() const { return detected_ + deadlocks_.detected(); }
  // When each check last ran, for goleakd_check_last_run_timestamp_seconds: empty until it has run once. Growth can't
  // be checked before a whole window has been watched, after the quiet time of the process.
  std::optional<Instant> last_run(Evidence check) const;

 private:
  using Groups = std::map<std::string, Group>;    // by leak id
  using Sites = std::map<std::string, SiteView>;  // by site id

  // What one evaluation holds of one leak.
  struct Subject {
    const Group* group = nullptr;
    Judgement judgement;
  };
  using Subjects = std::map<std::string, Subject>;  // by leak id

  void gather(const ledger::Ledger& ledger);
  Cutoffs cutoffs(Instant now) const;
  Sites sites(const ledger::Ledger& ledger) const;
  void remember(const Groups& groups, const Sites& sites, const ledger::Ledger& ledger, Instant now);
  void evaluate(const Groups& groups, const Sites& sites, const ProcessFacts& process, Instant now);
  Subjects judge_groups(const Groups& groups, Instant quiet_until) const;
  void judge_sites(const Groups& groups, const Sites& sites, Instant quiet_until, Groups& of_sites, Subjects& subjects);
  Groups whole_sites(const Sites& sites) const;
  void place_site(const std::string& site, const SiteView& view, const Group* fullest);

  std::string service_;
  Thresholds thresholds_;
  GrowthWindow stuck_;  // by leak id
  GrowthWindow live_;   // by site id
  Stalls stalls_;
  Cancellations cancellations_;
  std::optional<Instant> began_;                             // the first observation
  std::map<std::string, Finding> findings_;                  // by leak id
  std::map<std::string, std::string> by_site_;               // leak ids of the findings that speak of whole sites
  std::map<std::string, ledger::BlockedPlace> site_places_;  // where they are shown, by site id
  DeadlockWatch deadlocks_;
  std::optional<Instant> lock_awaited_since_;
  std::optional<LockGraph> locks_;  // of the newest look at them
  std::vector<Leak> leaks_;
  std::uint64_t detected_ = 0;
  std::optional<Instant> evaluated_;
  std::map<Evidence, Instant> checked_;
};

}  // namespace goleakd::verdict
