// SPDX-License-Identifier: Apache-2.0
// Counters and views.
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "ledger/ledger.h"
#include "ledger_fixture.h"

namespace goleakd::ledger {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Counters, AreKeptPerCreationSite) {
  Ledger ledger;
  const CreationId a = ledger.intern(creation_site("a"));
  const CreationId b = ledger.intern(creation_site("b"));
  ledger.events_attached(at(0));
  ledger.apply(snapshot(1, 2, {}));
  ledger.apply(spawn(10, 5, a));
  ledger.apply(spawn(11, 6, a));
  ledger.apply(spawn(12, 7, b));
  ledger.parks_told({{a, {.parked = 2, .unparked = 1, .finished = {}}}});
  ledger.apply(exit(15, 5));
  ledger.apply(exit(16, 7));

  const std::vector<CreationView> views = ledger.creations();
  ASSERT_EQ(views.size(), 2U);
  EXPECT_EQ(views[0].site->function, "a");
  EXPECT_EQ(views[0].live, 1U);
  EXPECT_EQ(views[0].spawned, 2U);
  EXPECT_EQ(views[0].exited, 1U);
  EXPECT_EQ(views[0].parks.parked, 2U);
  EXPECT_EQ(views[0].parks.unparked, 1U);
  EXPECT_EQ(views[1].site->function, "b");  // nobody lives, but it has spawned
  EXPECT_EQ(views[1].live, 0U);
  EXPECT_EQ(views[1].exited, 1U);
}

TEST(Views, SitesTellWhoIsAwakeAndSinceWhenTheyLive) {
  Ledger ledger;
  const CreationId site = ledger.intern(creation_site("main.start"));
  std::vector<GoroutineState> states{running(1)};
  for (const Goid goid : {19, 17, 11, 13, 16, 12}) {
    states.push_back(goid < 13 ? running(goid) : waiting(goid, goid));
    states.back().creation = site;
  }
  ledger.apply(snapshot(0, 1, states));
  EXPECT_EQ(ledger.newest(), 19U);
  const std::vector<CreationView> views = ledger.creations(std::array<Goid, 2>{13, 100});
  ASSERT_EQ(views.size(), 2U);
  EXPECT_EQ(views[1].live, 6U);
  EXPECT_EQ(views[1].awake, 2U);
  EXPECT_EQ(views[1].born_before, (std::vector<std::uint64_t>{3, 6}));
  EXPECT_EQ(views[1].eldest, (std::vector<Goid>{11, 12, 13, 16, 17}));
}

TEST(Views, SystemGoroutinesAreApart) {
  Ledger ledger;
  const CreationId gc = ledger.intern(creation_site("runtime.gcenable"));
  GoroutineState system = waiting(2, 21, WaitClass::runtime);
  system.system = true;
  system.creation = gc;
  ledger.apply(snapshot(0, 1, {running(1), system}));
  EXPECT_EQ(ledger.live(), 1U);
  EXPECT_EQ(ledger.live_system(), 1U);
  EXPECT_EQ(blocked_count(ledger), 0U);
  EXPECT_TRUE(ledger.blocked_by_age(at(10)).empty());
  ASSERT_EQ(ledger.creations().size(), 1U);
  EXPECT_EQ(ledger.creations()[0].site->function, "unknown");  // goroutine 1's

  // A spawn event can't know; the next snapshot tells.
  ledger.events_attached(at(2));
  ledger.apply(snapshot(3, 4, {running(1), system}));
  ledger.apply(spawn(5, 3, gc));
  EXPECT_EQ(ledger.live(), 2U);
  GoroutineState another = system;
  another.goid = 3;
  ledger.apply(snapshot(6, 7, {running(1), system, another}));
  EXPECT_EQ(ledger.live_system(), 2U);
  EXPECT_EQ(ledger.creations().size(), 1U);
}

TEST(Views, BlockedGroupsByCreationAndPlace) {
  Ledger ledger;
  const CreationId creation = ledger.intern(creation_site("main.serve"));
  const BlockedId blocked = ledger.intern(place("main.send", WaitClass::chan_send));
  std::vector<GoroutineState> states;
  for (Goid goid = 10; goid < 17; ++goid) {
    GoroutineState state = waiting(goid, goid, WaitClass::chan_send);
    state.creation = creation;
    state.blocked = blocked;
    state.waiting_since = at(-1000 * static_cast<std::int64_t>(goid));
    state.object = {.address = 0xc000000000 + goid / 4, .unbuffered = true, .full = false};
    state.parent = goid < 12 ? 9 : 1;  // 9 has gone
    states.push_back(state);
  }
  states[0].object.unbuffered = false;
  states[0].object.full = true;
  states[1].object.unbuffered = false;  // with room
  states[2].object = {};
  states.push_back(waiting(1, 1, WaitClass::chan_receive));
  ledger.apply(snapshot(0, 10, states));

  const std::array cutoffs{at(-10'000), at(-13'000)};
  const std::vector<BlockedView> views = ledger.blocked(cutoffs);
  ASSERT_EQ(views.size(), 2U);
  EXPECT_TRUE(views[0].has_main);
  const BlockedView& view = views[1];
  EXPECT_EQ(view.creation_site->function, "main.serve");
  EXPECT_EQ(view.place->function, "main.send");
  EXPECT_FALSE(view.has_main);
  EXPECT_EQ(view.count, 7U);
  EXPECT_EQ(view.stack_bytes, 7U * 8192);
  EXPECT_EQ(view.parentless, (Parentless{.all = 2, .left = 0}));
  EXPECT_EQ(view.parked_before, (std::vector<std::uint64_t>{7, 4}));  // a cutoff counts itself
  EXPECT_EQ(view.parentless_before, (std::vector<Parentless>{{2, 0}, {0, 0}}));
  EXPECT_EQ(view.oldest.at_least_since, at(-16'000));
  EXPECT_EQ(view.with_object, 6U);
  EXPECT_EQ(view.distinct_objects, 3U);
  EXPECT_EQ(view.unbuffered, 4U);
  EXPECT_EQ(view.full, 1U);
  EXPECT_EQ(view.samples, (std::vector<Goid>{16, 15, 14, 13, 12}));
}

TEST(Views, AParentIsGoneOnlyWhenEverybodyWasSeen) {
  Ledger ledger;
  GoroutineState child = waiting(5, 51);
  child.parent = 4;
  ledger.apply(snapshot(0, 1, {running(1), child}, /*torn=*/1));
  EXPECT_EQ(ledger.blocked({})[0].parentless.all, 0U);
  ledger.apply(snapshot(10, 11, {running(1), child}));
  EXPECT_EQ(ledger.blocked({})[0].parentless.all, 1U);
  child.parent = 0;  // not known: Go 1.19
  Ledger other;
  other.apply(snapshot(0, 1, {running(1), child}));
  EXPECT_EQ(other.blocked({})[0].parentless.all, 0U);
}

TEST(Views, WhoIsStuckSinceBeforeItsParentEndedIsLeftBehind) {
  Ledger ledger;
  const auto child = [](Goid goid, std::uint64_t park) {
    GoroutineState state = waiting(goid, park);
    state.parent = 4;
    return state;
  };
  const auto parentless = [&] { return ledger.blocked({})[0].parentless; };
  ledger.apply(snapshot(0, 1, {running(4), child(5, 51), child(6, 61)}));
  ledger.apply(snapshot(10, 11, {running(4), child(5, 51), child(6, 61)}));
  EXPECT_EQ(parentless(), (Parentless{.all = 0, .left = 0}));
  // 6 may have been woken by the parent's end, 7 has been born meanwhile, and parked nobody knows when.
  ledger.apply(snapshot(20, 21, {child(5, 51), child(6, 62), child(7, 71)}));
  EXPECT_EQ(parentless(), (Parentless{.all = 3, .left = 1}));
  ledger.apply(snapshot(30, 31, {child(5, 51), child(6, 62), child(7, 71)}));
  EXPECT_EQ(parentless(), (Parentless{.all = 3, .left = 1}));
  ledger.apply(snapshot(40, 41, {child(5, 52), child(6, 62), child(7, 71)}));  // so it was not lost
  EXPECT_EQ(parentless(), (Parentless{.all = 3, .left = 0}));
}

TEST(Views, WhoParkedAfterTheLastLookAtItsParentMayHaveSeenItsEnd) {
  Ledger ledger;
  GoroutineState child = running(5);
  child.parent = 4;
  ledger.apply(snapshot(0, 1, {running(4), child}));
  child = waiting(5, 51);
  child.parent = 4;
  ledger.apply(snapshot(10, 11, {child}));
  EXPECT_EQ(ledger.blocked({})[0].parentless, (Parentless{.all = 1, .left = 0}));
}

TEST(Views, SiblingsAreThoseOfSmallSites) {
  Ledger ledger;
  const CreationId pool = ledger.intern(creation_site("main.pool"));
  const CreationId crowd = ledger.intern(creation_site("main.crowd"));
  GoroutineState idle = waiting(2, 21);
  idle.creation = pool;
  idle.object.address = 0x100;
  GoroutineState busy = running(3);
  busy.creation = pool;
  std::vector<GoroutineState> states{running(1), idle, busy};  // main has no site here
  for (Goid goid = 10; goid < 13; ++goid) {
    states.push_back(waiting(goid, goid, WaitClass::chan_send));
    states.back().creation = crowd;
    states.back().object.address = goid < 12 ? 0x100 : 0x200;
  }
  ledger.apply(snapshot(0, 1, states));
  states.back().park_identity = 99;
  states.push_back(waiting(20, 20, WaitClass::chan_send));
  states.back().object.address = 0x100;
  ledger.apply(snapshot(10, 11, states));

  const auto views = ledger.siblings(2);
  ASSERT_EQ(views.size(), 1U);
  EXPECT_EQ(views[0].site->function, "main.pool");
  ASSERT_EQ(views[0].all.size(), 2U);
  const bool first = views[0].all[0].goid == 2;
  const Sibling& rests = views[0].all[first ? 0 : 1];
  const Sibling& runs = views[0].all[first ? 1 : 0];
  EXPECT_TRUE(rests.resting);
  EXPECT_EQ(rests.wait, WaitClass::chan_receive);
  EXPECT_EQ(rests.channel, 0x100U);
  EXPECT_EQ(rests.since, at(1));
  EXPECT_FALSE(runs.resting);
  EXPECT_EQ(ledger.siblings(3).size(), 2U);

  const std::vector<std::uint64_t> channels{0x100, 0x200, 0x300};
  using Counts = std::map<std::uint64_t, std::uint64_t>;
  EXPECT_EQ(ledger.senders(channels, at(1)), (Counts{{0x100, 2}, {0x200, 0}, {0x300, 0}}));
  EXPECT_EQ(ledger.senders(channels, at(11)), (Counts{{0x100, 3}, {0x200, 1}, {0x300, 0}}));
}

TEST(Views, AgesFallIntoBuckets) {
  Ledger ledger;
  std::vector<GoroutineState> states;
  const Instant now = at(0);
  const std::array<Duration, 9> ages{seconds(0),  seconds(59), minutes(1), minutes(10) - seconds(1),
                                     minutes(10), minutes(59), hours(1),   hours(23),
                                     hours(24)};
  for (const Duration age : ages) {
    GoroutineState state = waiting(states.size() + 2, 1);
    state.waiting_since = now - age;
    states.push_back(state);
  }
  ledger.apply(snapshot(0, 0, states));
  EXPECT_EQ(ledger.blocked_by_age(now).at(WaitClass::chan_receive), (AgeBuckets{2, 2, 2, 2, 1}));
}

TEST(Views, StatesFollowEventsAndAddUp) {
  Ledger ledger;
  ledger.events_attached(at(0));
  ledger.apply(snapshot(1, 2, {running(1), waiting(2, 21)}));
  ledger.apply(spawn(10, 3));
  ledger.apply(unpark(12, 2));
  const auto states = ledger.by_state();
  EXPECT_EQ(states[static_cast<std::size_t>(RunState::running)], 1U);
  EXPECT_EQ(states[static_cast<std::size_t>(RunState::runnable)], 2U);
  EXPECT_EQ(states[0] + states[1] + states[2] + states[3] + states[4], ledger.live());
  EXPECT_EQ(blocked_count(ledger), 0U);  // 2 was woken
}

}  // namespace
}  // namespace goleakd::ledger
