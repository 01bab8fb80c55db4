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
  ledger.events_attached(at(0));
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
  ledger.events_attached(at(0));
  ledger.apply(snapshot(10, 20, {running(1), waiting(2, 21), waiting(3, 31)}));
  ledger.parks_attached(at(50));
  for (const std::int64_t begin : {100, 200, 300, 400}) {
    ledger.apply(snapshot(begin, begin + 10, {running(1), waiting(2, 22), waiting(3, 31)}));
  }
  EXPECT_EQ(missed(ledger), 0U) << "2 may have parked anew before the probes were in place";
  for (const std::int64_t begin : {500, 600, 700, 800}) {
    ledger.apply(snapshot(begin, begin + 10, {running(1), waiting(2, 23), waiting(3, 31)}));
  }
  EXPECT_EQ(count_of(ledger, Correction::missed_park), 1U) << "but not after the first snapshot since";
  EXPECT_EQ(missed(ledger), 1U);
  EXPECT_TRUE(ledger.events_exact()) << "of spawns and exits";
}

TEST(ParksLater, TheirNumbersBeginAnew) {
  Ledger ledger;
  const CreationId site = ledger.intern(creation_site("a"));
  ledger.events_attached(at(0));
  ledger.parks_attached(at(0));
  ledger.apply(spawn(5, 7, site));
  ledger.parks_told({{site, {.parked = 3, .unparked = 2, .finished = {.by_log2_ns = {}, .total_ns = 9}}}});
  EXPECT_EQ(ledger.creations()[0].parks.parked, 3U);
  EXPECT_EQ(ledger.creations()[0].parks.finished.total_ns, 9U);
  ledger.parks_told({{site, {.parked = 4, .unparked = 2, .finished = {}}}});
  EXPECT_EQ(ledger.creations()[0].parks.parked, 4U) << "in the place of what was told before";
  ledger.parks_detached();
  EXPECT_EQ(ledger.creations()[0].parks.parked, 4U);
  ledger.parks_attached(at(100));
  EXPECT_EQ(ledger.creations()[0].parks.parked, 0U);
}

TEST(ParksLater, WhatTheyLoseIsNoLossOfSpawns) {
  Ledger ledger;
  ledger.events_attached(at(0));
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

TEST(ParksLater, WithoutThemNoWordIsExpected) {
  Ledger ledger;
  ledger.events_attached(at(0));
  ledger.parks_attached(at(0));
  ledger.apply(snapshot(10, 20, {running(1)}));
  ledger.parks_detached();
  for (const std::int64_t begin : {100, 200, 300, 400}) ledger.apply(snapshot(begin, begin + 10, {waiting(1, 11)}));
  EXPECT_EQ(missed(ledger), 0U);
  EXPECT_TRUE(ledger.events_exact());
  EXPECT_FALSE(ledger.parks_exact());
}

TEST(Detached, SnapshotsReplaceAgainAndKeepWhatEventsTold) {
  Ledger ledger;
  const CreationId site = ledger.intern(creation_site("a"));
  ledger.events_attached(at(0));
  ledger.parks_attached(at(0));
  ledger.apply(snapshot(10, 20, {running(1)}));
  ledger.apply(spawn(30, 7, site));
  ledger.apply(snapshot(100, 110, {running(1), waiting(7, 71)}));
  ledger.parked(7, at(40));
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
  ledger.events_attached(at(0));
  ledger.apply(snapshot(10, 20, {running(1)}));
  ledger.apply(spawn(150, 7));
  ledger.events_detached();
  ledger.apply(snapshot(100, 110, {running(1)}));
  EXPECT_EQ(ledger.live(), 2U);
  ledger.apply(snapshot(200, 210, {running(1)}));
  EXPECT_EQ(ledger.live(), 1U);
}

TEST(Detached, WhoWentUntilTheNextAttachIsDroppedSilently) {
  Ledger ledger;
  ledger.events_attached(at(0));
  ledger.apply(snapshot(10, 20, {running(1), running(2)}));
  ledger.events_detached();
  ledger.events_attached(at(100));
  ledger.apply(snapshot(110, 120, {running(1)}));
  ledger.apply(snapshot(210, 220, {running(1)}));
  EXPECT_EQ(ledger.live(), 1U);
  EXPECT_EQ(missed(ledger), 0U);
}

}  // namespace
}  // namespace goleakd::ledger
