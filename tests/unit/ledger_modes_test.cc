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
