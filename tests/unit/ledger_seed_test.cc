// SPDX-License-Identifier: Apache-2.0
// The first snapshot after the attach.
#include <gtest/gtest.h>

#include "ledger/ledger.h"
#include "ledger_fixture.h"
#include "seeded_ledger.h"

namespace goleakd::ledger {
namespace {

TEST_F(Seeded, TheSeedTakesEverybodyAtOnce) {
  EXPECT_EQ(ledger.live(), 2U);
  EXPECT_EQ(count_of(ledger, Correction::seeded), 2U);
  EXPECT_EQ(missed(ledger), 0U);
  EXPECT_TRUE(ledger.events_exact());
}

TEST(Seed, MustHaveBegunWhenAllProbesWereInPlace) {
  Ledger ledger;
  ledger.events_attached(at(0));
  ledger.apply(snapshot(-1, 5, {running(1)}));
  EXPECT_FALSE(ledger.events_exact());
  EXPECT_EQ(count_of(ledger, Correction::seeded), 0U);
  ledger.apply(snapshot(0, 5, {running(1)}));
  EXPECT_TRUE(ledger.events_exact());
  EXPECT_EQ(count_of(ledger, Correction::seeded), 1U);
}

TEST(Seed, DropsSilentlyWhoWentBeforeTheAttach) {
  Ledger ledger;
  ledger.apply(snapshot(-100, -90, {running(1), running(2)}));
  ledger.events_attached(at(0));
  ledger.apply(snapshot(10, 20, {running(1)}));
  EXPECT_EQ(ledger.live(), 1U);
  EXPECT_EQ(count_of(ledger, Correction::seeded), 1U);
  EXPECT_EQ(missed(ledger), 0U);
}

TEST(Seed, DoesNotBringBackWhoExitedSinceItWasLookedAt) {
  Ledger ledger;
  ledger.events_attached(at(0));
  ledger.apply(exit(15, 7));
  ledger.apply(snapshot(10, 20, {running(1), running(7)}));
  EXPECT_EQ(ledger.live(), 1U);
  EXPECT_EQ(ledger.totals().unmatched_exits, 1U);
  ledger.apply(snapshot(100, 110, {running(1)}));
  EXPECT_EQ(missed(ledger), 0U);
}

TEST(Seed, KeepsWhomASpawnEventToldJustBeforeIt) {
  Ledger ledger;
  ledger.events_attached(at(0));
  ledger.apply(spawn(9, 7));  // its status changes only after it was looked at
  ledger.apply(snapshot(10, 20, {running(1)}));
  EXPECT_EQ(ledger.live(), 2U);
  ledger.apply(snapshot(100, 110, {running(1), running(7)}));
  EXPECT_EQ(ledger.live(), 2U);
  EXPECT_EQ(missed(ledger), 0U);
}

// Go 1.19 to 1.23: the snapshot can see it before the probe fires.
TEST(Seed, CountsOnceWhoseSpawnIsToldAfterIt) {
  Ledger ledger;
  ledger.events_attached(at(0));
  ledger.apply(snapshot(10, 20, {running(1), running(7)}));
  ledger.apply(spawn(25, 7));
  EXPECT_EQ(ledger.live(), 2U);
  EXPECT_EQ(count_of(ledger, Correction::seeded) + ledger.totals().spawned, 2U);
}

TEST(Seed, TakesWhatTheProbesToldOfItsParks) {
  Ledger ledger;
  const CreationId site = ledger.intern(creation_site("main.f"));
  ledger.events_attached(at(0));
  ledger.parks_attached(at(0));
  GoroutineState seven = waiting(7, 71);
  seven.creation = site;
  ledger.apply(snapshot(10, 20, {running(1), seven}));
  ledger.parked(7, at(5));
  EXPECT_EQ(park_of(ledger, site)->at_least_since, at(5));
  EXPECT_EQ(park_of(ledger, site)->at_most_since, at(5));
  EXPECT_EQ(missed(ledger), 0U);
}

TEST(Seed, TornGoroutinesAreExplainedLater) {
  Ledger ledger;
  ledger.apply(snapshot(-100, -90, {running(1), running(5), running(6)}));
  ledger.events_attached(at(0));
  ledger.apply(snapshot(10, 20, {running(1)}, /*torn=*/2));  // 5 or 6, and a stranger
  EXPECT_EQ(ledger.live(), 3U);
  ledger.apply(snapshot(100, 110, {running(1), running(5), running(7)}));
  ledger.apply(snapshot(200, 210, {running(1), running(5), running(7)}));
  EXPECT_EQ(ledger.live(), 3U);  // 6 had gone before the attach, 7 was the other torn one
  EXPECT_EQ(count_of(ledger, Correction::seeded), 3U);
  EXPECT_EQ(missed(ledger), 0U);
  ledger.apply(snapshot(300, 310, {running(1), running(5), running(7), running(8)}));
  ledger.apply(snapshot(400, 410, {running(1), running(5), running(7), running(8)}));
  EXPECT_EQ(count_of(ledger, Correction::missed_spawn), 1U);  // more than were torn
}

TEST(Seed, EventsOlderThanTheLastProbeInformButDoNotCount) {
  Ledger ledger;
  ledger.events_attached(at(0));
  ledger.apply(spawn(-5, 7));
  ledger.apply(spawn(-4, 8));
  ledger.apply(exit(-3, 8));
  EXPECT_EQ(ledger.live(), 1U);
  EXPECT_EQ(ledger.totals().spawned + ledger.totals().exited, 0U);
  ledger.apply(snapshot(10, 20, {running(1), running(7)}));
  EXPECT_EQ(count_of(ledger, Correction::seeded), 2U);
}

}  // namespace
}  // namespace goleakd::ledger
