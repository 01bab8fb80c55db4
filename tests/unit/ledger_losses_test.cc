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
  look(300, {running(1), waiting(2, 21), waiting(7, 71)});
  EXPECT_EQ(count_of(ledger, Correction::missed_spawn), 1U);
  EXPECT_EQ(missed(ledger), 1U);
  EXPECT_EQ(ledger.blocked(std::array{at(110), at(109)})[0].parked_before[0], 2U);  // known since the first look
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
  events({park(30, 7), unpark(31, 8)});
  look(100, {running(1), waiting(2, 21), waiting(7, 71), running(8), running(9)});
  EXPECT_EQ(ledger.live(), 4U);
  EXPECT_EQ(count_of(ledger, Correction::missed_spawn), 2U);
  events({exit(130, 9), exit(131, 10)});
  EXPECT_EQ(count_of(ledger, Correction::missed_spawn), 4U);
  EXPECT_EQ(ledger.totals().exited, 2U);
  EXPECT_EQ(ledger.live(), 4U);
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
  events({park(150, 7)});
  look(200, {running(1), waiting(2, 21)});
  EXPECT_EQ(ledger.live(), 3U);
  look(300, {running(1), waiting(2, 21)});
  EXPECT_EQ(count_of(ledger, Correction::missed_exit), 1U);
}

TEST_F(Losses, LostParkNeedsTheSameParkTwice) {
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

TEST_F(Losses, LostWakeIsFoundByTwoLooks) {
  look(100, {running(1), running(2)});
  EXPECT_EQ(blocked_count(ledger), 0U);
  look(200, {running(1), running(2)});
  EXPECT_EQ(count_of(ledger, Correction::missed_unpark), 1U);
  look(300, {running(1), running(2)});
  EXPECT_EQ(missed(ledger), 1U);
  events({park(330, 2)});
  EXPECT_EQ(ledger.totals().implicit_wakes, 0U);
}

TEST_F(Losses, LostWakeAndParkOfAnotherClass) {
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

TEST_F(Losses, ALostWakeLeavesNoBoundThatIsTooLate) {
  // Where it was until 20, and when the park that it is in now began, nobody knows: the seed looked at some moment
  // before 20.
  const std::vector<GoroutineState> other{running(1), waiting(2, 22, WaitClass::mutex)};
  look(100, other);
  look(200, other);
  EXPECT_EQ(ledger.blocked({})[0].oldest.at_least_since, at(210));
  EXPECT_EQ(ledger.blocked({})[0].oldest.at_most_since, Instant::min());
}

TEST_F(Losses, AParkThatFollowsAnImplicitWakeIsANewOne) {
  events({park(50, 2)});
  ledger.events_lost(1);
  look(100, {running(1), waiting(2, 22)});
  EXPECT_EQ(missed(ledger), 0U);
  EXPECT_EQ(ledger.blocked({})[0].oldest.at_most_since, at(50));
}

TEST_F(Losses, AfterALossOnlyWitnessedParksKeepTheirInstant) {
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
  for (const std::uint64_t parks : ledger.finished_parks(a).by_log2_ns) EXPECT_EQ(parks, 0U);
}

TEST_F(Losses, AttachingAgainMakesCountersExactAgain) {
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

}  // namespace
}  // namespace goleakd::ledger
