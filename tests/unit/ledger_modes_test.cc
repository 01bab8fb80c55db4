// SPDX-License-Identifier: Apache-2.0
// Spawn and exit only, and detached.
#include <gtest/gtest.h>

#include "ledger/ledger.h"
#include "ledger_fixture.h"

namespace goleakd::ledger {
namespace {

TEST(SpawnAndExitOnly, ParksComeFromSnapshots) {
  Ledger ledger;
  const CreationId site = ledger.intern(creation_site("a"));
  ledger.events_attached(at(0), false);
  ledger.apply(snapshot(10, 20, {running(1)}));
  ledger.apply(spawn(30, 7, site));
  ledger.apply(snapshot(100, 110, {running(1), waiting(7, 71)}));
  ledger.apply(snapshot(200, 210, {running(1), waiting(7, 71)}));
  EXPECT_EQ(park_of(ledger, site)->at_least_since, at(110));
  EXPECT_EQ(park_of(ledger, site)->at_most_since, at(30));
  ledger.apply(snapshot(300, 310, {running(1), waiting(7, 72)}));
  EXPECT_EQ(park_of(ledger, site)->at_least_since, at(310));
  EXPECT_EQ(park_of(ledger, site)->at_most_since, at(200));
  ledger.apply(snapshot(400, 410, {running(1), running(7)}));
  ledger.apply(snapshot(500, 510, {running(1), running(7)}));
  EXPECT_EQ(missed(ledger), 0U);
  EXPECT_TRUE(ledger.events_exact());
}

TEST(ParksLater, WhatRestsAlreadyIsNoLoss) {
  Ledger ledger;
  ledger.events_attached(at(0), false);
  ledger.apply(snapshot(10, 20, {running(1), waiting(2, 21), waiting(3, 31)}));
  ledger.parks_attached(at(50));
  ledger.apply(unpark(60, 2));
  EXPECT_EQ(ledger.totals().unmatched_wakes, 1U);
  ledger.apply(park(70, 2));
  for (const std::int64_t begin : {100, 200, 300}) {
    ledger.apply(snapshot(begin, begin + 10, {running(1), waiting(2, 22), waiting(3, 31)}));
  }
  EXPECT_EQ(missed(ledger), 0U);
  EXPECT_TRUE(ledger.events_exact()) << "of spawns and exits";
  // From there on they are told of.
  ledger.apply(unpark(350, 3));
  EXPECT_EQ(ledger.totals().unparked, 1U);
  ledger.apply(snapshot(400, 410, {running(1), running(2), running(3)}));
  ledger.apply(snapshot(500, 510, {running(1), running(2), running(3)}));
  EXPECT_EQ(count_of(ledger, Correction::missed_unpark), 1U);
  EXPECT_EQ(missed(ledger), 1U);
}

TEST(ParksLater, OlderEventsDoNotCount) {
  Ledger ledger;
  const CreationId site = ledger.intern(creation_site("a"));
  ledger.events_attached(at(0), false);
  ledger.apply(snapshot(10, 20, {running(1)}));
  ledger.apply(spawn(30, 7, site));
  ledger.parks_attached(at(50));
  ledger.apply(park(45, 7));  // while the probes went in
  ledger.apply(unpark(55, 7));
  EXPECT_EQ(ledger.totals().parked, 0U);
  ledger.apply(park(60, 7));
  ledger.apply(unpark(68, 7));
  EXPECT_EQ(ledger.totals().parked, 1U);
  EXPECT_EQ(ledger.totals().unparked, 2U);                    // both wakes came in time
  EXPECT_EQ(ledger.finished_parks(site).by_log2_ns[22], 1U);  // 4.2 to 8.4 ms
  EXPECT_EQ(ledger.finished_parks(site).total_ns, 18'000'000U) << "10 ms, whose begin was told too, and 8 ms";
}

TEST(ParksLater, WhatTheyLoseIsNoLossOfSpawns) {
  Ledger ledger;
  ledger.events_attached(at(0), false);
  EXPECT_FALSE(ledger.parks_exact());
  ledger.parks_attached(at(0));
  ledger.apply(snapshot(10, 20, {running(1)}));
  EXPECT_TRUE(ledger.parks_exact());
  ledger.parks_lost(3);
  EXPECT_EQ(ledger.lost(), 3U);
  EXPECT_TRUE(ledger.events_exact());
  EXPECT_FALSE(ledger.parks_exact());
  ledger.parks_detached();
  ledger.parks_attached(at(100));
  EXPECT_TRUE(ledger.parks_exact());
  ledger.events_lost(1);
  EXPECT_FALSE(ledger.events_exact());
  EXPECT_FALSE(ledger.parks_exact());
}

TEST(ParksLater, WithoutThemSnapshotsTellParksAgain) {
  Ledger ledger;
  ledger.events_attached(at(0), false);
  ledger.parks_attached(at(0));
  ledger.apply(snapshot(10, 20, {running(1)}));
  ledger.apply(park(30, 1));
  ledger.parks_detached();
  for (const std::int64_t begin : {100, 200}) ledger.apply(snapshot(begin, begin + 10, {running(1)}));
  for (const std::int64_t begin : {300, 400}) ledger.apply(snapshot(begin, begin + 10, {waiting(1, 11)}));
  EXPECT_EQ(missed(ledger), 0U);
  EXPECT_TRUE(ledger.events_exact());
}

TEST(Detached, SnapshotsReplaceAgainAndKeepWhatEventsTold) {
  Ledger ledger;
  const CreationId site = ledger.intern(creation_site("a"));
  ledger.events_attached(at(0), true);
  ledger.apply(snapshot(10, 20, {running(1)}));
  ledger.apply(spawn(30, 7, site));
  ledger.apply(park(40, 7));
  ledger.apply(snapshot(100, 110, {running(1), waiting(7, 71)}));
  ledger.events_detached();
  EXPECT_FALSE(ledger.events_exact());
  ledger.apply(snapshot(200, 210, {waiting(7, 71), running(9)}));
  EXPECT_EQ(ledger.live(), 2U);
  EXPECT_EQ(park_of(ledger, site)->at_least_since, at(40));
  ledger.apply(snapshot(300, 310, {waiting(7, 72)}));
  EXPECT_EQ(park_of(ledger, site)->at_least_since, at(310));
  EXPECT_EQ(missed(ledger), 0U);
}

TEST(Detached, ASnapshotThatIsOlderThanASpawnProvesNothing) {
  Ledger ledger;
  ledger.events_attached(at(0), true);
  ledger.apply(snapshot(10, 20, {running(1)}));
  ledger.apply(spawn(150, 7));
  ledger.events_detached();
  ledger.apply(snapshot(100, 110, {running(1)}));
  EXPECT_EQ(ledger.live(), 2U);
  ledger.apply(snapshot(200, 210, {running(1)}));
  EXPECT_EQ(ledger.live(), 1U);
}

TEST(Detached, ALookThatWasDoubtedBoundsNothing) {
  Ledger ledger;
  const CreationId site = ledger.intern(creation_site("a"));
  ledger.events_attached(at(0), true);
  ledger.apply(snapshot(10, 20, {running(1)}));
  ledger.apply(spawn(30, 7, site));
  ledger.apply(park(40, 7, WaitClass::select));
  ledger.apply(snapshot(100, 110, {running(1), waiting(7, 72, WaitClass::mutex)}));
  ledger.events_detached();
  ledger.apply(snapshot(200, 210, {running(1), waiting(7, 72, WaitClass::mutex)}));
  EXPECT_EQ(park_of(ledger, site)->at_most_since, at(40));
}

TEST(Detached, WhoWentUntilTheNextAttachIsDroppedSilently) {
  Ledger ledger;
  ledger.events_attached(at(0), true);
  ledger.apply(snapshot(10, 20, {running(1), running(2)}));
  ledger.events_detached();
  ledger.events_attached(at(100), true);
  ledger.apply(snapshot(110, 120, {running(1)}));
  ledger.apply(snapshot(210, 220, {running(1)}));
  EXPECT_EQ(ledger.live(), 1U);
  EXPECT_EQ(missed(ledger), 0U);
}

}  // namespace
}  // namespace goleakd::ledger
