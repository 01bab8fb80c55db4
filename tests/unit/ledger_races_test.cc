// SPDX-License-Identifier: Apache-2.0
// Differences between events and snapshots that a correct ledger sees through: no correction, ever.
#include <gtest/gtest.h>

#include <array>

#include "ledger/ledger.h"
#include "ledger_fixture.h"
#include "seeded_ledger.h"

namespace goleakd::ledger {
namespace {

using Races = Seeded;

TEST_F(Races, SpawnToldBeforeTheStatusChanges) {
  events({spawn(99, 7)});
  look(100, {running(1), waiting(2, 21)});
  EXPECT_EQ(ledger.live(), 3U);
  look(200, {running(1), waiting(2, 21), running(7)});
  events({spawn(299, 8)});
  look(300, {running(1), waiting(2, 21), running(7)});  // 7's mark must not have stayed
  EXPECT_EQ(ledger.live(), 4U);
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Races, SpawnToldAfterTheGoroutineCouldBeSeen) {
  look(100, {running(1), waiting(2, 21), running(7)});
  EXPECT_EQ(ledger.live(), 2U);
  events({spawn(111, 7)});
  EXPECT_EQ(ledger.live(), 3U);
  look(200, {running(1), waiting(2, 21), running(7)});
  EXPECT_EQ(ledger.totals().spawned, 1U);
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Races, ExitToldBeforeTheStatusChanges) {
  events({exit(99, 1)});
  look(100, {running(1), waiting(2, 21)});
  look(200, {running(1), waiting(2, 21)});  // a process that was frozen just there
  look(300, {running(1), waiting(2, 21)});
  EXPECT_EQ(ledger.live(), 1U);
  look(400, {waiting(2, 21)});
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Races, ExitBetweenTheLookAndItsMerge) {
  events({spawn(50, 7), exit(105, 7), exit(120, 1)});
  look(100, {running(1), waiting(2, 21), running(7)});
  EXPECT_EQ(ledger.live(), 1U);
  EXPECT_EQ(missed(ledger), 0U);
}

// The seed takes in whoever it shows, at the first look.
TEST(RacesOfMany, TheNewestExitsAreRememberedHoweverManyThereWere) {
  Ledger ledger({.goroutines = 4, .sites = 10});
  ledger.events_attached(at(0));
  std::int64_t time = 10;
  for (Goid goid = 100; goid < 150; ++goid) {
    ledger.apply(spawn(time++, goid));
    ledger.apply(exit(time++, goid));
  }
  ledger.apply(spawn(time++, 150));
  ledger.apply(exit(time + 10, 150));  // after the look that follows, before its merge
  ledger.apply(snapshot(time, time + 20, {running(1), running(150)}));
  EXPECT_EQ(ledger.live(), 1U);
  ledger.apply(snapshot(time + 100, time + 101, {running(1)}));
  ledger.apply(snapshot(time + 200, time + 201, {running(1)}));
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Races, SpawnInsideTheSnapshot) {
  events({spawn(101, 7), spawn(130, 8)});
  look(100, {running(1), waiting(2, 21)});
  events({spawn(201, 9)});
  look(200, {running(1), waiting(2, 21), running(7), running(8)});
  EXPECT_EQ(ledger.live(), 5U);
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Races, WakeToldBeforeTheStatusChanges) {
  events({unpark(99, 2)});
  look(100, {running(1), waiting(2, 21)});
  look(200, {running(1), running(2)});
  EXPECT_EQ(resting(), 0U);
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Races, WhateverMovedSinceTheBeginIsNotJudged) {
  for (const std::int64_t begin : {100, 200, 300}) {
    events({unpark(begin, 2)});
    look(begin, {running(1), waiting(2, 21)});  // as it was before
    EXPECT_EQ(blocked_count(ledger), 0U);       // where 2 is by now, nobody has seen
    EXPECT_EQ(resting(), 0U);
  }
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Races, TheTablesKnowToTheNanosecond) {
  look(100, {waiting(1, 11), waiting(2, 21)});
  EXPECT_EQ(ledger.blocked({})[0].oldest.at_most_since, Instant::min());
  parked(50, 1);
  EXPECT_EQ(ledger.blocked(std::array{at(50), at(49)})[0].parked_before, (std::vector<std::uint64_t>{2, 1}));
  look(200, {waiting(1, 11), waiting(2, 21)});
  look(300, {waiting(1, 11), waiting(2, 21)});
  EXPECT_EQ(ledger.blocked(std::array{at(50), at(49)})[0].parked_before, (std::vector<std::uint64_t>{2, 1}));
  look(400, {waiting(1, 12), waiting(2, 21)});  // another park, and not told yet
  EXPECT_EQ(ledger.blocked(std::array{at(409)})[0].parked_before[0], 1U);
  EXPECT_EQ(missed(ledger), 0U);
}

// What is told came true after the look, or is not true any more: the next snapshot will tell.
TEST_F(Races, AWordAboutAnotherMomentIsPassedOver) {
  look(100, {running(1), waiting(2, 21)});
  parked(50, 1);
  EXPECT_EQ(blocked_count(ledger), 1U) << "1 runs";
  events({unpark(150, 2)});
  parked(50, 2);
  EXPECT_EQ(blocked_count(ledger), 0U) << "2 was woken since";
  parked(50, 99);
  look(200, {running(1), waiting(2, 22)});
  parked(120, 2);
  EXPECT_EQ(ledger.blocked({})[0].oldest.at_most_since, at(150)) << "at 120 it was in another park";
  parked(160, 2);
  EXPECT_EQ(ledger.blocked({})[0].oldest.at_most_since, at(160));
}

// A park that began between the begin of a snapshot and its look is told after the next one.
TEST_F(Races, AParkThatBeganInsideASnapshotIsNotMissed) {
  look(100, {waiting(1, 11), waiting(2, 21)});
  look(200, {waiting(1, 11), waiting(2, 21)});
  parked(105, 1);
  look(300, {waiting(1, 11), waiting(2, 21)});
  look(400, {waiting(1, 11), waiting(2, 21)});
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Races, SystemCallsAreNotParks) {
  GoroutineState call = waiting(1, 11, WaitClass::syscall);
  call.state = RunState::syscall;
  look(100, {call, waiting(2, 21)});
  look(200, {call, waiting(2, 21)});
  EXPECT_EQ(blocked_count(ledger), 2U);
  EXPECT_EQ(missed(ledger), 0U);
}

// Coroutines hand over without a trace in their g: each time the tables tell anew since when one waits.
TEST_F(Races, CoroutinesAreToldEachTime) {
  const CreationId site = ledger.intern(creation_site("a"));
  events({spawn(30, 3, site)});
  for (const std::int64_t begin : {100, 200, 300, 400}) {
    look(begin, {running(1), waiting(2, 21), waiting(3, 0, WaitClass::coroutine)});
    parked(30, 3);
    EXPECT_EQ(park_of(ledger, site)->at_least_since, at(30));
  }
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Races, RestsThatPassNoProbeAreNoCorrections) {
  GoroutineState system = waiting(3, 31);
  system.system = true;
  events({spawn(30, 3), spawn(31, 4), spawn(32, 5)});
  const std::vector<GoroutineState> asleep{running(1), waiting(2, 21), system, waiting(4, 41, WaitClass::coroutine),
                                           waiting(5, 51, WaitClass::runtime)};
  for (const std::int64_t begin : {100, 150, 200, 250}) look(begin, asleep);
  EXPECT_EQ(blocked_count(ledger), 3U);
  system.state = RunState::running;
  const std::vector<GoroutineState> awake{running(1), waiting(2, 21), system, running(4), running(5)};
  look(300, awake);
  look(400, awake);
  EXPECT_EQ(blocked_count(ledger), 1U);
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Races, AStateThatSaysNothingProvesLifeOnly) {
  GoroutineState unclear = running(1);
  unclear.state = RunState::other;
  for (const std::int64_t begin : {100, 200, 300}) look(begin, {unclear, waiting(2, 21)});
  look(400, {waiting(1, 11), waiting(2, 21)});
  EXPECT_EQ(blocked_count(ledger), 2U);
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Races, TornSnapshotsNeitherMarkNorConfirmAbsence) {
  look(100, {waiting(2, 21)}, 1);
  look(200, {waiting(2, 21)}, 1);
  look(300, {waiting(2, 21)});
  look(400, {waiting(2, 21)}, 1);
  EXPECT_EQ(ledger.live(), 2U);
  EXPECT_EQ(missed(ledger), 0U);
  look(500, {waiting(2, 21)});
  EXPECT_EQ(ledger.live(), 1U);
  EXPECT_EQ(count_of(ledger, Correction::missed_exit), 1U);
}

}  // namespace
}  // namespace goleakd::ledger
