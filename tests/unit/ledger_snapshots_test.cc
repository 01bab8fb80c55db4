// SPDX-License-Identifier: Apache-2.0
// Snapshots without events, and the limits.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "ledger/ledger.h"
#include "ledger_fixture.h"

namespace goleakd::ledger {
namespace {

TEST(SnapshotsAlone, ReplaceTheState) {
  Ledger ledger;
  ledger.apply(snapshot(0, 10, {running(1), running(2), waiting(3, 33)}));
  EXPECT_EQ(ledger.live(), 3U);
  ledger.apply(snapshot(1000, 1010, {running(1), waiting(4, 44)}));
  EXPECT_EQ(ledger.live(), 2U);
  EXPECT_EQ(blocked_count(ledger), 1U);
  EXPECT_EQ(ledger.by_state()[static_cast<std::size_t>(RunState::running)], 1U);
  EXPECT_EQ(ledger.by_state()[static_cast<std::size_t>(RunState::waiting)], 1U);
  for (const std::uint64_t corrections : ledger.totals().corrections) EXPECT_EQ(corrections, 0U);
  EXPECT_FALSE(ledger.events_exact());
}

// at_least is the end of the first snapshot that shows the park, at_most the begin of the last that does not.
TEST(SnapshotsAlone, BoundTheBeginOfAPark) {
  Ledger ledger;
  ledger.apply(snapshot(0, 10, {waiting(2, 21), running(3)}));
  EXPECT_EQ(park_of(ledger, {})->at_least_since, at(10));
  EXPECT_EQ(park_of(ledger, {})->at_most_since, Instant::min());  // it may be older than the ledger

  ledger.apply(snapshot(1000, 1010, {running(2), waiting(3, 31)}));
  EXPECT_EQ(park_of(ledger, {})->at_least_since, at(1010));
  EXPECT_EQ(park_of(ledger, {})->at_most_since, at(0));

  ledger.apply(snapshot(2000, 2010, {running(2), waiting(3, 31)}));  // the same park
  EXPECT_EQ(park_of(ledger, {})->at_least_since, at(1010));

  ledger.apply(snapshot(3000, 3010, {running(2), waiting(3, 32)}));  // another
  EXPECT_EQ(park_of(ledger, {})->at_least_since, at(3010));
  EXPECT_EQ(park_of(ledger, {})->at_most_since, at(2000));
}

TEST(SnapshotsAlone, ANewGoroutineIsNoOlderThanTheLastWholeSnapshot) {
  Ledger ledger;
  ledger.apply(snapshot(0, 10, {running(1)}));
  ledger.apply(snapshot(1000, 1010, {running(1)}, /*torn=*/1));  // might be the torn one: proves nothing
  ledger.apply(snapshot(2000, 2010, {running(1), waiting(2, 21)}));
  EXPECT_EQ(park_of(ledger, {})->at_most_since, at(0));
}

TEST(SnapshotsAlone, AStateThatSaysNothingBoundsNothing) {
  Ledger ledger;
  GoroutineState unclear = running(2);
  unclear.state = RunState::other;
  ledger.apply(snapshot(0, 10, {unclear}));
  ledger.apply(snapshot(1000, 1010, {waiting(2, 21)}));
  EXPECT_EQ(park_of(ledger, {})->at_least_since, at(1010));
  EXPECT_EQ(park_of(ledger, {})->at_most_since, Instant::min());
}

TEST(SnapshotsAlone, TheCollectorsStampMakesAParkOlder) {
  Ledger ledger;
  GoroutineState stamped = waiting(2, 21);
  stamped.waiting_since = at(-5000);
  ledger.apply(snapshot(0, 10, {stamped, running(3)}));
  EXPECT_EQ(park_of(ledger, {})->at_least_since, at(-5000));

  // Stamped with the start of a collection that had begun before the park: no earlier than the snapshot that saw it
  // awake.
  stamped = waiting(3, 31);
  stamped.waiting_since = at(-1);
  ledger.apply(snapshot(1000, 1010, {stamped}));
  EXPECT_EQ(park_of(ledger, {})->at_least_since, at(0));

  // A stamp that comes in the middle of a park.
  Ledger later;
  later.apply(snapshot(0, 10, {running(3)}));
  later.apply(snapshot(1000, 1010, {waiting(3, 31)}));
  GoroutineState stamp = waiting(3, 31);
  stamp.waiting_since = at(900);
  later.apply(snapshot(2000, 2010, {stamp}));
  EXPECT_EQ(park_of(later, {})->at_least_since, at(900));
}

TEST(SnapshotsAlone, SystemCallsHaveAnAgeToo) {
  Ledger ledger;
  GoroutineState call = waiting(2, 21, WaitClass::syscall);
  call.state = RunState::syscall;
  ledger.apply(snapshot(0, 10, {call}));
  ledger.apply(snapshot(70'000, 70'010, {call}));
  EXPECT_EQ(blocked_count(ledger), 1U);
  EXPECT_EQ(ledger.blocked_by_age(at(70'010)).at(WaitClass::syscall)[1], 1U);
}

// A target that lies: a goroutine is at one place at a time.
TEST(SnapshotsAlone, AGoidThatComesTwiceCountsOnce) {
  Ledger ledger;
  const CreationId first = ledger.intern(creation_site("first"));
  const CreationId second = ledger.intern(creation_site("second"));
  GoroutineState one = waiting(2, 21);
  one.creation = first;
  GoroutineState other = running(2);
  other.creation = second;
  for (const std::int64_t begin : {0, 100}) {
    ledger.apply(snapshot(begin, begin + 10, {one, other, one}));
    EXPECT_EQ(ledger.live(), 1U);
    EXPECT_EQ(blocked_count(ledger), 1U);
    ASSERT_EQ(ledger.creations().size(), 1U);
    EXPECT_EQ(ledger.creations()[0].id, first);
  }
}

// The daemon makes a state, and the sites that it names, when it is asked for it.
TEST(SnapshotsAlone, StatesAreMadeOneByOne) {
  Ledger ledger;
  std::vector<std::size_t> asked;
  ledger.apply({.begin = at(0), .end = at(10), .torn = 0, .count = 300, .state = [&](std::size_t i) {
                  asked.push_back(i);
                  GoroutineState state = waiting(i + 1, i + 1);
                  state.creation = ledger.intern(creation_site("main.f" + std::to_string(i)));
                  return state;
                }});
  ASSERT_EQ(asked.size(), 300U);
  EXPECT_TRUE(std::is_sorted(asked.begin(), asked.end()));
  EXPECT_EQ(ledger.creations().size(), 300U);
  EXPECT_EQ(ledger.live(), 300U);
}

TEST(SnapshotsAlone, StackSizesAddUp) {
  Ledger ledger;
  std::vector<GoroutineState> states;
  std::uint64_t sum = 0;
  for (std::uint32_t bytes = 2048; bytes != 0; bytes *= 2) {  // up to 2 GiB; Go's limit is 1 GB
    states.push_back(running(states.size() + 1));
    states.back().stack_bytes = bytes;
    sum += bytes;
  }
  states.push_back(running(states.size() + 1));
  states.back().stack_bytes = 0;
  ledger.apply(snapshot(0, 1, states));
  EXPECT_EQ(ledger.creations()[0].stack_bytes, sum);
}

TEST(Limits, DroppedGoroutinesAreCounted) {
  Ledger ledger({.goroutines = 2, .sites = 10});
  ledger.events_attached(at(0));
  ledger.apply(snapshot(1, 2, {running(1)}));
  EXPECT_TRUE(ledger.events_exact());
  ledger.apply(spawn(10, 2));
  ledger.apply(spawn(11, 3));
  EXPECT_EQ(ledger.live(), 2U);
  EXPECT_EQ(ledger.totals().dropped_goroutines, 1U);
  EXPECT_EQ(ledger.totals().spawned, 2U);
  EXPECT_FALSE(ledger.events_exact());
  ledger.apply(exit(12, 3));  // explained: not a spawn that was missed
  EXPECT_EQ(ledger.totals().unmatched_exits, 1U);
  EXPECT_EQ(missed(ledger), 0U);

  ledger.apply(snapshot(20, 21, {running(1), running(2), running(4)}));
  ledger.apply(snapshot(30, 31, {running(1), running(2), running(4)}));
  EXPECT_EQ(ledger.live(), 2U);
  EXPECT_EQ(missed(ledger), 0U);
}

}  // namespace
}  // namespace goleakd::ledger
