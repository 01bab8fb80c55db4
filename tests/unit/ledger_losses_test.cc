// SPDX-License-Identifier: Apache-2.0
// Losses: noticed by the second look, counted once.
#include <gtest/gtest.h>

#include <array>

#include "ledger/ledger.h"
#include "ledger_fixture.h"
#include "seeded_ledger.h"

namespace goleakd::ledger {
namespace {

using Losses = Seeded;

TEST_F(Losses, LostSpawnIsFoundByTwoLooks) {
  look(100, {running(1), waiting(2, 21), waiting(7, 71)});
  EXPECT_EQ(ledger.live(), 2U);
  look(200, {running(1), waiting(2, 21), waiting(7, 71)});
  EXPECT_EQ(ledger.live(), 3U);
  EXPECT_EQ(ledger.blocked(std::array{at(110), at(109)})[0].parked_before[0], 2U);  // known since the first look
  parked(60, 7);
  look(300, {running(1), waiting(2, 21), waiting(7, 71)});
  EXPECT_EQ(count_of(ledger, Correction::missed_spawn), 1U);
  EXPECT_EQ(missed(ledger), 1U);
  EXPECT_EQ(ledger.totals().spawned, 0U);
}

TEST_F(Losses, OneLookThatShowsAStrangerTwiceIsOneLook) {
  look(100, {running(1), waiting(2, 21), running(7), running(7)});
  EXPECT_EQ(ledger.live(), 2U);
  EXPECT_EQ(missed(ledger), 0U);
  look(200, {running(1), waiting(2, 21), running(7), running(7)});
  EXPECT_EQ(ledger.live(), 3U);
  EXPECT_EQ(count_of(ledger, Correction::missed_spawn), 1U);
}

TEST_F(Losses, LooksThatAreNotInARowProveNoSpawn) {
  look(100, {running(1), waiting(2, 21), running(7)});
  look(200, {running(1), waiting(2, 21)});
  look(300, {running(1), waiting(2, 21), running(7)});
  EXPECT_EQ(ledger.live(), 2U);
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Losses, LostSpawnIsFoundByALaterEvent) {
  events({unpark(31, 8)});
  look(100, {running(1), waiting(2, 21), running(8), running(9)});
  EXPECT_EQ(ledger.live(), 2U) << "the end of a park does not say whose it was";
  events({exit(130, 9), exit(131, 10)});
  EXPECT_EQ(count_of(ledger, Correction::missed_spawn), 2U);
  EXPECT_EQ(ledger.totals().exited, 2U);
  look(200, {running(1), waiting(2, 21), running(8)});
  EXPECT_EQ(count_of(ledger, Correction::missed_spawn), 3U);
  EXPECT_EQ(ledger.live(), 3U);
}

TEST_F(Losses, LostExitIsFoundByTwoAbsences) {
  look(100, {waiting(2, 21)});
  EXPECT_EQ(ledger.live(), 2U);
  look(200, {waiting(2, 21)});
  EXPECT_EQ(ledger.live(), 1U);
  EXPECT_EQ(count_of(ledger, Correction::missed_exit), 1U);
}

TEST_F(Losses, AbsencesCountFromTheLastSignOfLife) {
  events({spawn(99, 7)});
  look(100, {running(1), waiting(2, 21)});
  events({unpark(150, 7)});
  look(200, {running(1), waiting(2, 21)});
  EXPECT_EQ(ledger.live(), 3U);
  look(300, {running(1), waiting(2, 21)});
  EXPECT_EQ(count_of(ledger, Correction::missed_exit), 1U);
}

TEST_F(Losses, LostParkIsFoundByThreeLooks) {
  look(100, {waiting(1, 11), waiting(2, 21)});
  look(200, {waiting(1, 12), waiting(2, 21)});
  look(300, {waiting(1, 12), waiting(2, 21)});
  EXPECT_EQ(missed(ledger), 0U);
  look(400, {waiting(1, 12), waiting(2, 21)});
  EXPECT_EQ(count_of(ledger, Correction::missed_park), 1U);
  look(500, {waiting(1, 12), waiting(2, 21)});
  EXPECT_EQ(missed(ledger), 1U) << "once";
  EXPECT_EQ(ledger.blocked(std::array{at(210), at(209)})[0].parked_before[0], 2U);
}

TEST_F(Losses, ALostWakeIsTheNextSnapshotsNews) {
  look(100, {running(1), running(2)});
  EXPECT_EQ(blocked_count(ledger), 0U);
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Losses, WhatTheProbesMissedMakesTheirNumbersInexact) {
  EXPECT_TRUE(ledger.parks_exact());
  ledger.parks_lost(1);
  EXPECT_FALSE(ledger.parks_exact());
  EXPECT_TRUE(ledger.events_exact());
}

TEST_F(Losses, AttachingAgainMakesCountersExactAgain) {
  const CreationId site = ledger.intern(creation_site("a"));
  events({spawn(30, 7, site)});
  ledger.events_lost(2);
  EXPECT_EQ(ledger.lost(), 2U);
  look(100, {running(1), waiting(2, 21), running(7)});
  look(200, {running(1), waiting(2, 21), running(7)});
  EXPECT_FALSE(ledger.events_exact());  // a counter that missed something stays wrong

  ledger.events_attached(at(300));
  EXPECT_FALSE(ledger.events_exact());
  look(310, {running(1), waiting(2, 21), running(7)});
  EXPECT_TRUE(ledger.events_exact());
  EXPECT_EQ(ledger.lost(), 0U);
  events({spawn(330, 8, site)});
  EXPECT_EQ(ledger.creations().back().spawned, 1U);
  EXPECT_EQ(ledger.totals().spawned, 2U);
  EXPECT_EQ(missed(ledger), 0U);
}

}  // namespace
}  // namespace goleakd::ledger
