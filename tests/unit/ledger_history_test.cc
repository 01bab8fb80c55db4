// SPDX-License-Identifier: Apache-2.0
// Random histories, told with and without losses, against the truth.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <ostream>
#include <utility>
#include <vector>

#include "ledger/ledger.h"
#include "ledger_fixture.h"
#include "true_history.h"

namespace goleakd::ledger {
namespace {

struct Run {
  unsigned seed = 0;
  bool spawn_told_late = false;
  double torn = 0;
  double lost = 0;
};

void PrintTo(const Run& run, std::ostream* out) {
  *out << "seed " << run.seed << (run.spawn_told_late ? " late" : "") << " torn " << run.torn << " lost " << run.lost;
}

// Snapshots from 2 s on, attached at 5 s, losses from 10 s to 25 s, everything drained and judged until 38 s.
class RandomHistory : public testing::TestWithParam<Run> {
 protected:
  static constexpr std::int64_t kAttach = 5000;
  static constexpr std::int64_t kLossFrom = 10'000;
  static constexpr std::int64_t kLossTo = 25'000;
  static constexpr std::int64_t kEnd = 38'000;

  RandomHistory()
      : history(GetParam().seed, ledger, {.spawn_told_late = GetParam().spawn_told_late}), random(GetParam().seed) {
    lose_events();
  }

  // Never both spawn and exit of one goroutine: nobody could know that it had lived.
  void lose_events() {
    for (TrueGoroutine& goroutine : history.goroutines) {
      bool life = false;
      for (Change& change : goroutine.changes) {
        const bool of_life = change.kind == Change::Kind::spawn || change.kind == Change::Kind::exit;
        if (change.kind == Change::Kind::self_wake || change.told < at(kLossFrom) || change.told > at(kLossTo))
          continue;
        if ((of_life && life) || !history.chance(GetParam().lost)) continue;
        change.lost = true;
        life = life || of_life;
        ++losses[change.kind];
      }
    }
  }

  void run() {
    Instant drained = at(kAttach);
    Instant begin = at(2000);
    int clean = 0;  // snapshots that began after the last loss could matter
    while (begin < at(kEnd)) {
      const Instant end = begin + history.between(std::chrono::milliseconds(1), std::chrono::milliseconds(200));
      Snapshot looked = history.look(begin, end, GetParam().torn);
      // Not at once: changes on their way while the probes were being attached must have come through.
      if (begin >= at(kAttach) + std::chrono::milliseconds(300) && !attached) {
        ledger.events_attached(at(kAttach));
        ledger.parks_attached(at(kAttach));
        attached = true;
      }
      if (attached) {
        const Instant until = end + history.between(Duration(0), std::chrono::milliseconds(300));
        std::uint64_t lost = 0;
        for (const Event& event : history.events(drained, until, lost)) ledger.apply(event);
        ledger.events_lost(lost);
        drained = until;
      }
      merge(looked, begin, drained);
      if (attached) {
        if (begin > at(kLossTo) + std::chrono::milliseconds(300)) ++clean;
        const bool right = GetParam().lost == 0 || drained < at(kLossFrom) || clean >= 2;
        if (GetParam().torn == 0) {
          if (right) compare(begin, drained);
          conserve();
        }
      }
      begin = end + history.between(std::chrono::milliseconds(500), std::chrono::milliseconds(1500));
    }
    if (GetParam().torn > 0) {
      for (int i = 0; i < 3; ++i) {  // quiet at last
        std::uint64_t lost = 0;
        const Instant until = begin + std::chrono::milliseconds(100);
        Snapshot looked = history.look(begin, begin + std::chrono::milliseconds(50), 0);
        for (const Event& event : history.events(drained, until, lost)) ledger.apply(event);
        drained = until;
        merge(looked, begin, until);
        begin += std::chrono::milliseconds(500);
      }
      compare(begin - std::chrono::milliseconds(500), drained);
      conserve();
    }
  }

  void merge(const Snapshot& looked, Instant begin, Instant time) {
    ledger.apply(looked);
    if (!attached) return;
    for (const auto& [goid, since] : history.parked(time)) {
      if (since > told_from && since <= begin) ledger.parked(goid, since);
    }
    told_from = std::exchange(previous_begin, begin);
    ++merged;
  }

  // The ledger against the truth at `time`, after a snapshot that began at `begin`.
  void compare(Instant begin, Instant time) {
    std::map<CreationId, CreationView> views;
    for (const CreationView& view : ledger.creations()) views[view.id] = view;
    for (const TrueGoroutine& goroutine : history.goroutines) {
      const Change& spawned = goroutine.changes.front();
      if (spawned.happened <= time && spawned.told > time) continue;  // seen, and not told yet: either answer is right
      const Change* last = goroutine.last_told(time);
      const bool alive = last != nullptr && last->kind != Change::Kind::exit;
      ASSERT_EQ(views[goroutine.creation].live, alive ? 1U : 0U) << "goroutine " << goroutine.goid;
      if (!alive) continue;
      const std::optional<ParkAge>& age = views[goroutine.creation].oldest;
      const bool looked_between = last->told < begin && last->happened >= begin;
      const bool told_end = last->kind == Change::Kind::unpark && last->long_park && !last->lost;
      if (told_end && !looked_between && merged > 1) {  // until the seed it is not known whose end is told
        ASSERT_FALSE(age.has_value()) << "goroutine " << goroutine.goid << " was woken";
      }
      // What else has changed since the snapshot began the next one tells.
      if (last->kind == Change::Kind::self_wake || std::max(last->told, last->happened) >= begin) continue;
      const bool parked = last->kind == Change::Kind::park;
      ASSERT_EQ(age.has_value(), parked) << "goroutine " << goroutine.goid;
      if (!parked) continue;
      // After a loss the tables may take one park for another, which their readers are told (Ledger::parks_exact).
      const auto lost = [](const Change& change) { return change.lost; };
      if (std::ranges::any_of(goroutine.changes, lost)) continue;
      ++parks_compared;
      ASSERT_LE(age->at_most_since, last->happened) << "goroutine " << goroutine.goid;
      ASSERT_GE(age->at_least_since, last->told) << "goroutine " << goroutine.goid;
      ASSERT_TRUE(age->at_least_since == last->told || age->at_least_since >= last->happened);
      if (last->told >= at(kAttach)) {
        ASSERT_EQ(age->at_least_since, last->told) << "goroutine " << goroutine.goid;
        ASSERT_EQ(age->at_most_since, last->told);
      }
    }
  }

  void conserve() {
    const Totals& totals = ledger.totals();
    const std::uint64_t came =
        count_of(ledger, Correction::seeded) + count_of(ledger, Correction::missed_spawn) + totals.spawned;
    ASSERT_EQ(came - totals.exited - count_of(ledger, Correction::missed_exit), ledger.live());
  }

  Ledger ledger;
  TrueHistory history;
  std::mt19937 random;
  bool attached = false;
  Instant told_from = at(kAttach);
  Instant previous_begin = at(kAttach);
  int merged = 0;  // snapshots since the attach
  std::map<Change::Kind, std::uint64_t> losses;
  std::uint64_t parks_compared = 0;
};

using Complete = RandomHistory;
TEST_P(Complete, NeedsNoCorrectionAndIsExact) {
  ASSERT_NO_FATAL_FAILURE(run());
  EXPECT_GT(parks_compared, 0U);
  EXPECT_EQ(missed(ledger), 0U);
  EXPECT_TRUE(ledger.events_exact());
}

using Lossy = RandomHistory;
TEST_P(Lossy, IsRightAgainAndEveryLossIsExplained) {
  ASSERT_NO_FATAL_FAILURE(run());
  EXPECT_GT(losses[Change::Kind::spawn] + losses[Change::Kind::exit], 0U);
  EXPECT_EQ(count_of(ledger, Correction::missed_spawn), losses[Change::Kind::spawn]);
  EXPECT_EQ(count_of(ledger, Correction::missed_exit), losses[Change::Kind::exit]);
  EXPECT_LE(count_of(ledger, Correction::missed_park), losses[Change::Kind::park]);
  EXPECT_FALSE(ledger.events_exact());
}

std::vector<Run> runs(bool late, double torn, double lost) {
  std::vector<Run> result;
  for (unsigned seed = 1; seed <= 20; ++seed) result.push_back({seed, late, torn, lost});
  return result;
}

INSTANTIATE_TEST_SUITE_P(Plain, Complete, testing::ValuesIn(runs(false, 0, 0)));
INSTANTIATE_TEST_SUITE_P(SpawnToldLate, Complete, testing::ValuesIn(runs(true, 0, 0)));
INSTANTIATE_TEST_SUITE_P(Torn, Complete, testing::ValuesIn(runs(false, 0.05, 0)));
INSTANTIATE_TEST_SUITE_P(Few, Lossy, testing::ValuesIn(runs(false, 0, 0.05)));
INSTANTIATE_TEST_SUITE_P(Many, Lossy, testing::ValuesIn(runs(false, 0, 0.3)));

}  // namespace
}  // namespace goleakd::ledger
