// SPDX-License-Identifier: Apache-2.0
// Events against snapshots: every race that a correct ledger has to see through, and every loss that it has to notice.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "ledger/ledger.h"
#include "ledger_fixture.h"
#include "true_history.h"

namespace goleakd::ledger {
namespace {

// Attached at 0 and seeded by a snapshot in [10, 20] that shows goroutines 1 (running) and 2 (parked, identity 21).
class Seeded : public testing::Test {
 protected:
  Seeded() {
    ledger.events_attached(at(0), true);
    ledger.apply(snapshot(10, 20, {running(1), waiting(2, 21)}));
  }
  void events(std::initializer_list<Event> list) {
    for (const Event& event : list) ledger.apply(event);
  }
  void look(std::int64_t begin, std::vector<GoroutineState> goroutines, std::uint64_t torn = 0) {
    ledger.apply(snapshot(begin, begin + 10, std::move(goroutines), torn));
  }
  std::uint64_t resting() const { return ledger.by_state()[static_cast<std::size_t>(RunState::waiting)]; }

  Ledger ledger;
};

// --- the seed ---

TEST_F(Seeded, TheSeedTakesEverybodyAtOnce) {
  EXPECT_EQ(ledger.live(), 2U);
  EXPECT_EQ(count_of(ledger, Correction::seeded), 2U);
  EXPECT_EQ(missed(ledger), 0U);
  EXPECT_TRUE(ledger.events_exact());
}

TEST(Seed, MustHaveBegunWhenAllProbesWereInPlace) {
  Ledger ledger;
  ledger.events_attached(at(0), true);
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
  ledger.events_attached(at(0), true);
  ledger.apply(snapshot(10, 20, {running(1)}));
  EXPECT_EQ(ledger.live(), 1U);
  EXPECT_EQ(count_of(ledger, Correction::seeded), 1U);
  EXPECT_EQ(missed(ledger), 0U);
}

TEST(Seed, DoesNotBringBackWhoExitedSinceItWasLookedAt) {
  Ledger ledger;
  ledger.events_attached(at(0), true);
  ledger.apply(exit(15, 7));
  ledger.apply(snapshot(10, 20, {running(1), running(7)}));
  EXPECT_EQ(ledger.live(), 1U);
  EXPECT_EQ(ledger.totals().unmatched_exits, 1U);
  ledger.apply(snapshot(100, 110, {running(1)}));
  EXPECT_EQ(missed(ledger), 0U);
}

TEST(Seed, KeepsWhomASpawnEventToldJustBeforeIt) {
  Ledger ledger;
  ledger.events_attached(at(0), true);
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
  ledger.events_attached(at(0), true);
  ledger.apply(snapshot(10, 20, {running(1), running(7)}));
  ledger.apply(spawn(25, 7));
  EXPECT_EQ(ledger.live(), 2U);
  EXPECT_EQ(count_of(ledger, Correction::seeded) + ledger.totals().spawned, 2U);
}

TEST(Seed, TrustsWhatEventsToldOfStrangersBeforeIt) {
  Ledger ledger;
  const CreationId site = ledger.intern(creation_site("main.f"));
  ledger.events_attached(at(0), true);
  ledger.apply(park(5, 7));     // parked since 5 exactly
  ledger.apply(unpark(15, 8));  // woken after the snapshot had looked at it
  GoroutineState seven = waiting(7, 71);
  seven.creation = site;
  ledger.apply(snapshot(10, 20, {running(1), seven, waiting(8, 81)}));
  EXPECT_EQ(ledger.live(), 3U);
  EXPECT_EQ(park_of(ledger, site)->at_least_since, at(5));
  EXPECT_EQ(park_of(ledger, site)->at_most_since, at(5));
  EXPECT_EQ(blocked_count(ledger), 1U);
  ledger.apply(snapshot(100, 110, {running(1), seven, running(8)}));
  ledger.apply(snapshot(200, 210, {running(1), seven, running(8)}));
  EXPECT_EQ(count_of(ledger, Correction::seeded), 3U);
  EXPECT_EQ(missed(ledger), 0U);
}

TEST(Seed, TornGoroutinesAreExplainedLater) {
  Ledger ledger;
  ledger.apply(snapshot(-100, -90, {running(1), running(5), running(6)}));
  ledger.events_attached(at(0), true);
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
  ledger.events_attached(at(0), true);
  ledger.apply(spawn(-5, 7));
  ledger.apply(spawn(-4, 8));
  ledger.apply(exit(-3, 8));
  EXPECT_EQ(ledger.live(), 1U);
  EXPECT_EQ(ledger.totals().spawned + ledger.totals().exited, 0U);
  ledger.apply(snapshot(10, 20, {running(1), running(7)}));
  EXPECT_EQ(count_of(ledger, Correction::seeded), 2U);
}

// --- races: no correction, ever ---

TEST_F(Seeded, SpawnToldBeforeTheStatusChanges) {
  events({spawn(99, 7)});
  look(100, {running(1), waiting(2, 21)});
  EXPECT_EQ(ledger.live(), 3U);
  look(200, {running(1), waiting(2, 21), running(7)});
  events({spawn(299, 8)});
  look(300, {running(1), waiting(2, 21), running(7)});  // 7's mark must not have stayed
  EXPECT_EQ(ledger.live(), 4U);
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Seeded, SpawnToldAfterTheGoroutineCouldBeSeen) {
  look(100, {running(1), waiting(2, 21), running(7)});
  EXPECT_EQ(ledger.live(), 2U);
  events({spawn(111, 7)});
  EXPECT_EQ(ledger.live(), 3U);
  look(200, {running(1), waiting(2, 21), running(7)});
  EXPECT_EQ(ledger.totals().spawned, 1U);
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Seeded, ExitToldBeforeTheStatusChanges) {
  events({exit(99, 1)});
  look(100, {running(1), waiting(2, 21)});
  look(200, {running(1), waiting(2, 21)});  // a process that was frozen just there
  look(300, {running(1), waiting(2, 21)});
  EXPECT_EQ(ledger.live(), 1U);
  look(400, {waiting(2, 21)});
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Seeded, ExitBetweenTheLookAndItsMerge) {
  events({spawn(50, 7), exit(105, 7), exit(120, 1)});
  look(100, {running(1), waiting(2, 21), running(7)});
  EXPECT_EQ(ledger.live(), 1U);
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Seeded, SpawnInsideTheSnapshot) {
  events({spawn(101, 7), spawn(130, 8)});
  look(100, {running(1), waiting(2, 21)});
  events({spawn(201, 9)});
  look(200, {running(1), waiting(2, 21), running(7), running(8)});
  EXPECT_EQ(ledger.live(), 5U);
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Seeded, ParkToldBeforeTheStatusChanges) {
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

TEST_F(Seeded, WakeToldBeforeTheStatusChanges) {
  events({unpark(99, 2)});
  look(100, {running(1), waiting(2, 21)});
  look(200, {running(1), running(2)});
  EXPECT_EQ(resting(), 0U);
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Seeded, WhateverMovedSinceTheBeginIsNotJudged) {
  for (const std::int64_t begin : {100, 200, 300}) {
    events({unpark(begin, 2), park(begin + 1, 2), park(begin + 2, 1), unpark(begin + 3, 1)});
    look(begin, {waiting(1, 11), running(2)});  // both as they were in between
    EXPECT_EQ(blocked_count(ledger), 0U);       // where 2 is parked now, nobody has seen
    EXPECT_EQ(resting(), 1U);
  }
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Seeded, AParkThatTheRuntimeRefusedIsAnImplicitWake) {
  events({park(30, 1), park(31, 1), unpark(32, 1), park(33, 1), exit(34, 1)});
  EXPECT_EQ(ledger.totals().parked, 3U);
  EXPECT_EQ(ledger.totals().unparked, 1U);
  EXPECT_EQ(ledger.totals().implicit_wakes, 2U);
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Seeded, SystemCallsAreNotParks) {
  GoroutineState call = waiting(1, 11, WaitClass::syscall);
  call.state = RunState::syscall;
  look(100, {call, waiting(2, 21)});
  look(200, {call, waiting(2, 21)});
  EXPECT_EQ(blocked_count(ledger), 2U);
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Seeded, RestsThatPassNoProbeAreNoCorrections) {
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

TEST_F(Seeded, AStateThatSaysNothingProvesLifeOnly) {
  events({park(30, 1)});
  GoroutineState unclear = running(1);
  unclear.state = RunState::other;
  for (const std::int64_t begin : {100, 200, 300}) look(begin, {unclear, waiting(2, 21)});
  look(400, {waiting(1, 11), waiting(2, 21)});
  EXPECT_EQ(blocked_count(ledger), 2U);
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Seeded, AnEventKnowsBetterThanAnIdentityThatChanged) {
  events({park(30, 1)});
  look(100, {waiting(1, 11), waiting(2, 21)});
  look(200, {waiting(1, 12), waiting(2, 21)});
  EXPECT_EQ(ledger.blocked(std::array{at(30), at(29)})[0].parked_before, (std::vector<std::uint64_t>{2, 1}));
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Seeded, TornSnapshotsNeitherMarkNorConfirmAbsence) {
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

// --- losses: noticed by the second look, counted once ---

TEST_F(Seeded, LostSpawnIsFoundByTwoLooks) {
  look(100, {running(1), waiting(2, 21), waiting(7, 71)});
  EXPECT_EQ(ledger.live(), 2U);
  look(200, {running(1), waiting(2, 21), waiting(7, 71)});
  EXPECT_EQ(ledger.live(), 3U);
  look(300, {running(1), waiting(2, 21), waiting(7, 71)});
  EXPECT_EQ(count_of(ledger, Correction::missed_spawn), 1U);
  EXPECT_EQ(missed(ledger), 1U);
  EXPECT_EQ(ledger.blocked(std::array{at(110), at(109)})[0].parked_before[0], 2U);  // known since the first look
  EXPECT_EQ(ledger.totals().spawned, 0U);
}

TEST_F(Seeded, LooksThatAreNotInARowProveNoSpawn) {
  look(100, {running(1), waiting(2, 21), running(7)});
  look(200, {running(1), waiting(2, 21)});
  look(300, {running(1), waiting(2, 21), running(7)});
  EXPECT_EQ(ledger.live(), 2U);
  EXPECT_EQ(missed(ledger), 0U);
}

TEST_F(Seeded, LostSpawnIsFoundByALaterEvent) {
  events({park(30, 7), unpark(31, 8)});
  look(100, {running(1), waiting(2, 21), waiting(7, 71), running(8), running(9)});
  EXPECT_EQ(ledger.live(), 4U);
  EXPECT_EQ(count_of(ledger, Correction::missed_spawn), 2U);
  events({exit(130, 9), exit(131, 10)});
  EXPECT_EQ(count_of(ledger, Correction::missed_spawn), 4U);
  EXPECT_EQ(ledger.totals().exited, 2U);
  EXPECT_EQ(ledger.live(), 4U);
}

TEST_F(Seeded, LostExitIsFoundByTwoAbsences) {
  look(100, {waiting(2, 21)});
  EXPECT_EQ(ledger.live(), 2U);
  look(200, {waiting(2, 21)});
  EXPECT_EQ(ledger.live(), 1U);
  EXPECT_EQ(count_of(ledger, Correction::missed_exit), 1U);
}

TEST_F(Seeded, AbsencesCountFromTheLastSignOfLife) {
  events({spawn(99, 7)});
  look(100, {running(1), waiting(2, 21)});
  events({park(150, 7)});
  look(200, {running(1), waiting(2, 21)});
  EXPECT_EQ(ledger.live(), 3U);
  look(300, {running(1), waiting(2, 21)});
  EXPECT_EQ(count_of(ledger, Correction::missed_exit), 1U);
}

TEST_F(Seeded, LostParkNeedsTheSameParkTwice) {
  look(100, {waiting(1, 11), waiting(2, 21)});
  look(200, {waiting(1, 12), waiting(2, 21)});
  EXPECT_EQ(missed(ledger), 0U);
  look(300, {waiting(1, 12), waiting(2, 21)});
  EXPECT_EQ(count_of(ledger, Correction::missed_park), 1U);
  EXPECT_EQ(missed(ledger), 1U);
  EXPECT_EQ(ledger.blocked(std::array{at(210), at(209)})[0].parked_before[0], 2U);
  events({unpark(330, 1)});
  EXPECT_EQ(ledger.totals().unparked, 1U);
  EXPECT_EQ(ledger.totals().unmatched_wakes, 0U);
}

TEST_F(Seeded, LostWakeIsFoundByTwoLooks) {
  look(100, {running(1), running(2)});
  EXPECT_EQ(blocked_count(ledger), 0U);
  look(200, {running(1), running(2)});
  EXPECT_EQ(count_of(ledger, Correction::missed_unpark), 1U);
  look(300, {running(1), running(2)});
  EXPECT_EQ(missed(ledger), 1U);
  events({park(330, 2)});
  EXPECT_EQ(ledger.totals().implicit_wakes, 0U);
}

TEST_F(Seeded, LostWakeAndParkOfAnotherClass) {
  events({park(30, 1, WaitClass::select)});
  const std::vector<GoroutineState> other{waiting(1, 12, WaitClass::mutex), waiting(2, 21)};
  look(100, other);
  look(200, other);
  EXPECT_EQ(count_of(ledger, Correction::missed_unpark), 1U);
  EXPECT_EQ(blocked_count(ledger), 2U);
  look(300, other);
  EXPECT_EQ(count_of(ledger, Correction::missed_park), 1U);
  EXPECT_EQ(ledger.blocked(std::array{at(210)})[0].parked_before[0], 2U);
  EXPECT_EQ(ledger.blocked(std::array{at(209)})[0].parked_before[0], 1U);
}

TEST_F(Seeded, ALostWakeLeavesNoBoundThatIsTooLate) {
  // Where it was until 20, and when the park that it is in now began, nobody knows: the seed looked at some moment
  // before 20.
  const std::vector<GoroutineState> other{running(1), waiting(2, 22, WaitClass::mutex)};
  look(100, other);
  look(200, other);
  EXPECT_EQ(ledger.blocked({})[0].oldest.at_least_since, at(210));
  EXPECT_EQ(ledger.blocked({})[0].oldest.at_most_since, Instant::min());
}

TEST_F(Seeded, AParkThatFollowsAnImplicitWakeIsANewOne) {
  events({park(50, 2)});
  ledger.events_lost(1);
  look(100, {running(1), waiting(2, 22)});
  EXPECT_EQ(missed(ledger), 0U);
  EXPECT_EQ(ledger.blocked({})[0].oldest.at_most_since, at(50));
}

TEST_F(Seeded, AfterALossOnlyWitnessedParksKeepTheirInstant) {
  const CreationId a = ledger.intern(creation_site("a"));
  const CreationId b = ledger.intern(creation_site("b"));
  const CreationId c = ledger.intern(creation_site("c"));
  events({spawn(30, 5, a), spawn(31, 6, b), spawn(32, 7, c), park(40, 5), park(40, 7)});
  look(100, {running(1), waiting(2, 21), waiting(5, 51), running(6), waiting(7, 71)});
  events({park(150, 6)});
  ledger.events_lost(3);
  EXPECT_FALSE(ledger.events_exact());
  look(200, {running(1), waiting(2, 21), waiting(5, 51), waiting(6, 61), waiting(7, 72)});
  EXPECT_EQ(park_of(ledger, a)->at_least_since, at(40));  // the very park that was seen before
  EXPECT_EQ(park_of(ledger, a)->at_most_since, at(40));
  EXPECT_EQ(park_of(ledger, b)->at_least_since, at(210));  // this park or a later one of the same class
  EXPECT_EQ(park_of(ledger, b)->at_most_since, at(150));
  EXPECT_EQ(park_of(ledger, c)->at_least_since, at(210));  // surely a later one
  EXPECT_EQ(park_of(ledger, c)->at_most_since, at(100));
  EXPECT_EQ(count_of(ledger, Correction::missed_unpark), 1U);
  EXPECT_EQ(missed(ledger), 1U);

  // A park of whose end the histogram can't be sure is left out.
  events({unpark(230, 5)});
  for (const std::uint64_t parks : ledger.finished_parks(a)) EXPECT_EQ(parks, 0U);
}

TEST_F(Seeded, AttachingAgainMakesCountersExactAgain) {
  const CreationId site = ledger.intern(creation_site("a"));
  events({spawn(30, 7, site)});
  ledger.events_lost(2);
  EXPECT_EQ(ledger.lost(), 2U);
  look(100, {running(1), waiting(2, 21), running(7)});
  look(200, {running(1), waiting(2, 21), running(7)});
  EXPECT_FALSE(ledger.events_exact());  // a counter that missed something stays wrong

  ledger.events_attached(at(300), true);
  EXPECT_FALSE(ledger.events_exact());
  look(310, {running(1), waiting(2, 21), running(7)});
  EXPECT_TRUE(ledger.events_exact());
  EXPECT_EQ(ledger.lost(), 0U);
  events({spawn(330, 8, site)});
  EXPECT_EQ(ledger.creations().back().spawned, 1U);
  EXPECT_EQ(ledger.totals().spawned, 2U);
  EXPECT_EQ(missed(ledger), 0U);
}

// --- other modes ---

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

// --- random histories ---

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
        ledger.events_attached(at(kAttach), true);
        attached = true;
      }
      if (attached) {
        const Instant until = end + history.between(Duration(0), std::chrono::milliseconds(300));
        std::uint64_t lost = 0;
        for (const Event& event : history.events(drained, until, lost)) ledger.apply(event);
        ledger.events_lost(lost);
        drained = until;
      }
      ledger.apply(looked);
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
        ledger.apply(looked);
        begin += std::chrono::milliseconds(500);
      }
      compare(begin - std::chrono::milliseconds(500), drained);
      conserve();
    }
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
      // Between a probe and its change either answer is right; so is "parked" of one that woke without being told.
      if (last->kind == Change::Kind::self_wake) continue;
      if (last->told < begin && last->happened >= begin) continue;
      const std::optional<ParkAge>& age = views[goroutine.creation].oldest;
      const bool parked = last->kind == Change::Kind::park;
      ASSERT_EQ(age.has_value(), parked) << "goroutine " << goroutine.goid;
      if (!parked) continue;
      ++parks_compared;
      ASSERT_LE(age->at_most_since, last->happened) << "goroutine " << goroutine.goid;
      ASSERT_GE(age->at_least_since, last->told) << "goroutine " << goroutine.goid;
      ASSERT_TRUE(age->at_least_since == last->told || age->at_least_since >= last->happened);
      if (last->told >= at(kAttach) && (GetParam().lost == 0 || time < at(kLossFrom))) {
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

  std::uint64_t told(Change::Kind kind, std::int64_t from_ms, Instant until) const {
    std::uint64_t count = 0;
    for (const TrueGoroutine& goroutine : history.goroutines) {
      for (const Change& change : goroutine.changes) {
        if (change.kind == kind && change.told > at(from_ms) && change.told <= until) ++count;
      }
    }
    return count;
  }

  Ledger ledger;
  TrueHistory history;
  std::mt19937 random;
  bool attached = false;
  std::map<Change::Kind, std::uint64_t> losses;
  std::uint64_t parks_compared = 0;
};

using Complete = RandomHistory;
TEST_P(Complete, NeedsNoCorrectionAndIsExact) {
  ASSERT_NO_FATAL_FAILURE(run());
  EXPECT_GT(parks_compared, 0U);
  EXPECT_EQ(missed(ledger), 0U);
  EXPECT_TRUE(ledger.events_exact());
  EXPECT_LE(ledger.totals().implicit_wakes, told(Change::Kind::self_wake, 0, at(kEnd)));
}

using Lossy = RandomHistory;
TEST_P(Lossy, IsRightAgainAndEveryLossIsExplained) {
  ASSERT_NO_FATAL_FAILURE(run());
  EXPECT_GT(losses[Change::Kind::spawn] + losses[Change::Kind::exit], 0U);
  EXPECT_EQ(count_of(ledger, Correction::missed_spawn), losses[Change::Kind::spawn]);
  EXPECT_EQ(count_of(ledger, Correction::missed_exit), losses[Change::Kind::exit]);
  EXPECT_LE(count_of(ledger, Correction::missed_park), losses[Change::Kind::park]);
  EXPECT_LE(count_of(ledger, Correction::missed_unpark), losses[Change::Kind::unpark]);
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
