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

TEST_F(Races, SpawnInsideTheSnapshot) {
  events({spawn(101, 7), spawn(130, 8)});
  look(100, {running(1), waiting(2, 21)});
  events({spawn(201, 9)});
  look(200, {running(1), waiting(2, 21), running(7), running(8)});
  EXPECT_EQ(ledger.live(), 5U);
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Races, ParkToldBeforeTheStatusChanges) {
  events({park(99, 1, WaitClass::select)});
  look(100, {running(1), waiting(2, 21)});
  EXPECT_EQ(blocked_count(ledger), 1U);
  look(200, {waiting(1, 11, WaitClass::select), waiting(2, 21)});
  EXPECT_EQ(blocked_count(ledger), 2U);
  EXPECT_EQ(ledger.blocked_by_age(at(200)).at(WaitClass::select)[0], 1U);
  EXPECT_EQ(ledger.blocked(std::array{at(99), at(98)})[0].parked_before,
            (std::vector<std::uint64_t>{2, 1}));  // still exact
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
    events({unpark(begin, 2), park(begin + 1, 2), park(begin + 2, 1), unpark(begin + 3, 1)});
    look(begin, {waiting(1, 11), running(2)});  // both as they were in between
    EXPECT_EQ(blocked_count(ledger), 0U);       // where 2 is parked now, nobody has seen
    EXPECT_EQ(resting(), 1U);
  }
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Races, AParkThatTheRuntimeRefusedIsAnImplicitWake) {
  events({park(30, 1), park(31, 1), unpark(32, 1), park(33, 1), exit(34, 1)});
  EXPECT_EQ(ledger.totals().parked, 3U);
  EXPECT_EQ(ledger.totals().unparked, 1U);
  EXPECT_EQ(ledger.totals().implicit_wakes, 2U);
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

// The garbage collector stops goroutines that run, and lets them go by ready(): a wake without a park.
TEST_F(Races, ARestThatPassesNoProbeIsNoPark) {
  events({spawn(30, 3)});
  look(100, {running(1), waiting(2, 21), waiting(3, 31, WaitClass::coroutine)});
  events({unpark(150, 3)});
  EXPECT_EQ(ledger.totals().unparked, 0U);
  EXPECT_EQ(ledger.totals().unmatched_wakes, 1U);
  look(200, {running(1), waiting(2, 21), waiting(3, 32, WaitClass::coroutine)});
  events({park(250, 3), unpark(251, 3)});
  EXPECT_EQ(ledger.totals().implicit_wakes, 0U);
  EXPECT_EQ(ledger.totals().parked, 1U);
  EXPECT_EQ(ledger.totals().unparked, 1U);
}

// Its status changes a moment after the probe has fired, and the look may come between.
TEST_F(Races, OneLookDoesNotEndAHandOverBetweenCoroutines) {
  events({spawn(30, 3), park(95, 3, WaitClass::coroutine)});
  look(100, {running(1), waiting(2, 21), running(3)});
  events({unpark(150, 3)});
  EXPECT_EQ(ledger.totals().unparked, 1U);
  EXPECT_EQ(ledger.totals().unmatched_wakes, 0U);

  events({park(160, 3, WaitClass::coroutine)});
  look(200, {running(1), waiting(2, 21), running(3)});
  look(300, {running(1), waiting(2, 21), running(3)});  // it went on, and nothing told so
  events({park(350, 3)});
  EXPECT_EQ(ledger.totals().implicit_wakes, 0U);
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Races, AParkForTheRuntimesOwnBusinessStaysOne) {
  events({park(30, 1, WaitClass::runtime)});  // it helps the garbage collector
  look(100, {waiting(1, 11, WaitClass::runtime), waiting(2, 21)});
  events({unpark(150, 1)});
  EXPECT_EQ(ledger.totals().unparked, 1U);
  EXPECT_EQ(ledger.totals().unmatched_wakes, 0U);
}

TEST_F(Races, RestsThatPassNoProbeAreNoCorrections) {
  GoroutineState system = waiting(3, 31);
  system.system = true;
  events({spawn(30, 3), spawn(31, 4), spawn(32, 5)});
  const std::vector<GoroutineState> asleep{running(1), waiting(2, 21), system, waiting(4, 41, WaitClass::coroutine),
                                           waiting(5, 51, WaitClass::runtime)};
  look(100, asleep);
  look(200, asleep);
  EXPECT_EQ(blocked_count(ledger), 3U);
  system.state = RunState::running;
  const std::vector<GoroutineState> awake{running(1), waiting(2, 21), system, running(4), running(5)};
  look(300, awake);
  look(400, awake);
  EXPECT_EQ(blocked_count(ledger), 1U);
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Races, AStateThatSaysNothingProvesLifeOnly) {
  events({park(30, 1)});
  GoroutineState unclear = running(1);
  unclear.state = RunState::other;
  for (const std::int64_t begin : {100, 200, 300}) look(begin, {unclear, waiting(2, 21)});
  look(400, {waiting(1, 11), waiting(2, 21)});
  EXPECT_EQ(blocked_count(ledger), 2U);
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Races, AnEventKnowsBetterThanAnIdentityThatChanged) {
  events({park(30, 1)});
  look(100, {waiting(1, 11), waiting(2, 21)});
  look(200, {waiting(1, 12), waiting(2, 21)});
  EXPECT_EQ(ledger.blocked(std::array{at(30), at(29)})[0].parked_before, (std::vector<std::uint64_t>{2, 1}));
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
