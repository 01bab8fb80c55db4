// SPDX-License-Identifier: Apache-2.0
// Goroutines that wait for each other: who is stuck for good by a graph of locks, and what is said of it from look to
// look.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "ledger_fixture.h"
#include "verdict/deadlock.h"
#include "verdict/deadlock_watch.h"
#include "verdict/held_by.h"

namespace goleakd::verdict {
namespace {

using ledger::Goid;
using ledger::WaitClass;

// A graph that is told in the words "who waits for what, who holds what".
struct Graph : LockGraph {
  std::size_t lock(const std::string& kind = "mutex", std::optional<std::int64_t> counter = std::nullopt) {
    ledger::ObjectDump object;
    object.kind = kind;
    object.address = 0x1000 + 8 * locks.size();
    locks.push_back({.object = std::move(object), .counter = counter});
    return locks.size() - 1;
  }
  void waits(Goid goid, std::size_t lock, bool reads = false) {
    waiters.push_back({.goid = goid, .lock = lock, .reads = reads});
  }
  void holds(Goid goid, std::size_t lock) {
    holders.push_back({.goid = goid, .lock = lock, .frame = {"main.f", "app.go", 7}});
  }
};

std::vector<std::set<Goid>> cycles(const LockGraph& graph, const std::set<Goid>& moving = {}) {
  std::vector<std::set<Goid>> found;
  for (const Deadlock& deadlock : find_deadlocks(graph, [&](Goid goid) { return !moving.contains(goid); })) {
    std::set<Goid>& members = found.emplace_back();
    for (const Deadlock::Member& member : deadlock.members) members.insert(graph.waiters[member.waiter].goid);
  }
  return found;
}
using Cycles = std::vector<std::set<Goid>>;

// 1 holds a and waits for b, 2 the other way round.
Graph opposite_orders() {
  Graph graph;
  const auto a = graph.lock();
  const auto b = graph.lock();
  graph.holds(1, a);
  graph.waits(1, b);
  graph.holds(2, b);
  graph.waits(2, a);
  return graph;
}

TEST(Deadlock, OfOppositeOrdersIsACycle) {
  const Graph graph = opposite_orders();
  EXPECT_EQ(cycles(graph), Cycles({{1, 2}}));
  const auto found = find_deadlocks(graph, [](Goid) { return true; });
  ASSERT_EQ(found[0].members.size(), 2U);
  EXPECT_EQ(found[0].members[0].holders, std::vector<std::size_t>{0});
  EXPECT_TRUE(found[0].behind.empty());
}

TEST(Deadlock, IsNoneWhereOneOfThemHasNotWaitedForLong) { EXPECT_EQ(cycles(opposite_orders(), {2}), Cycles()); }

TEST(Deadlock, IsNoneWhereSomebodyElseMayHoldTheLock) {
  Graph graph = opposite_orders();
  graph.holds(3, 0);  // and waits for nothing
  EXPECT_EQ(cycles(graph), Cycles());
}

TEST(Deadlock, IsNoneWhereNobodyIsKnownToHoldTheLock) {
  Graph graph;
  const auto a = graph.lock();
  for (Goid goid = 1; goid < 100; ++goid) graph.waits(goid, a);
  EXPECT_EQ(cycles(graph), Cycles());
}

TEST(Deadlock, OfOneGoroutineIsALockTakenTwice) {
  Graph graph;
  const auto a = graph.lock();
  graph.holds(5, a);
  graph.waits(5, a);
  graph.waits(6, a);
  graph.waits(7, a);
  EXPECT_EQ(cycles(graph), Cycles({{5}}));
  EXPECT_EQ(find_deadlocks(graph, [](Goid) { return true; })[0].behind, (std::vector<Goid>{6, 7}));
  // One who has only just come is as much behind it.
  EXPECT_EQ(find_deadlocks(graph, [](Goid goid) { return goid != 7; })[0].behind, (std::vector<Goid>{6, 7}));
}

TEST(Deadlock, GoesRoundAsManyAsThereAre) {
  Graph graph;
  constexpr std::size_t kMany = 20'000;
  for (std::size_t i = 0; i < kMany; ++i) graph.lock();
  for (std::size_t i = 0; i < kMany; ++i) {
    graph.holds(i + 1, i);
    graph.waits(i + 1, (i + 1) % kMany);
  }
  const auto found = cycles(graph);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].size(), kMany);
}

TEST(Deadlock, TellsCyclesApart) {
  Graph graph = opposite_orders();
  const auto c = graph.lock();
  graph.holds(9, c);
  graph.waits(9, c);
  const auto d = graph.lock();  // who holds it waits for the first cycle, and is not of it
  graph.holds(4, d);
  graph.waits(4, 0);
  graph.waits(5, d);
  EXPECT_EQ(cycles(graph).size(), 2U);
  for (const auto& cycle : cycles(graph)) EXPECT_TRUE(cycle == std::set<Goid>({9}) || cycle == std::set<Goid>({1, 2}));
}

TEST(Deadlock, OfAWaitGroupNeedsAllWhoAreStillToCallDone) {
  Graph graph;
  const auto mutex = graph.lock();
  const auto group = graph.lock("waitgroup", 2);
  graph.holds(1, mutex);  // waits for its workers under the lock that they need
  graph.waits(1, group);
  graph.holds(2, group);
  graph.waits(2, mutex);
  EXPECT_EQ(cycles(graph), Cycles());  // the other one may well be at work
  graph.holds(3, group);
  EXPECT_EQ(cycles(graph), Cycles());  // it is, and can be named
  graph.waits(3, mutex);
  EXPECT_EQ(cycles(graph), Cycles({{1, 2, 3}}));
}

TEST(Deadlock, OfSupervisorsIsNone) {
  Graph graph;
  const auto group = graph.lock("waitgroup", 3);
  graph.waits(1, group);
  for (Goid goid = 2; goid < 5; ++goid) graph.holds(goid, group);  // at work, for life
  EXPECT_EQ(cycles(graph), Cycles());
}

// A process whose goroutines are the given ones, looked at every ten seconds.
class Watched : public testing::Test {
 protected:
  Watched() : watch("shop", Thresholds()) {}

  void look(const LockGraph& told, std::initializer_list<Goid> live) {
    now += std::chrono::seconds(10);
    std::vector<ledger::GoroutineState> states;
    for (const Goid goid : live) {
      ledger::GoroutineState state = ledger::waiting(goid, goid, WaitClass::mutex);
      state.creation = ledger.intern(ledger::creation_site("main.main", static_cast<std::uint32_t>(goid % 2)));
      state.blocked = ledger.intern(ledger::place("main.work", WaitClass::mutex));
      states.push_back(state);
    }
    ledger.apply(ledger::snapshot(now, now, std::move(states)));
    due = watch.due(lock_awaited_since(groups_of("shop", ledger, Cutoffs{})), now);
    if (!due) return;
    LockGraph graph = told;
    graph.at = now;
    watch.look(graph, ledger, now);
  }
  void look(const LockGraph& told, std::initializer_list<Goid> live, int times) {
    for (int i = 0; i < times; ++i) look(told, live);
  }

  Instant now = ledger::at(0);
  ledger::Ledger ledger;
  DeadlockWatch watch;
  bool due = false;
};

TEST_F(Watched, IsLookedAtOnlyWhenSomebodyHasWaitedForLong) {
  look({}, {1, 2}, 6);
  EXPECT_FALSE(due);
  look({}, {1, 2});
  EXPECT_TRUE(due);
  look({}, {1, 2});
  EXPECT_FALSE(due);  // a moment ago
  EXPECT_TRUE(watch.leaks().empty());
  EXPECT_TRUE(watch.last_run().has_value());
}

TEST_F(Watched, IsATicketWhenTwoLooksShowIt) {
  const Graph graph = opposite_orders();
  look(graph, {1, 2}, 7);
  ASSERT_EQ(watch.leaks().size(), 1U);
  EXPECT_EQ(watch.leaks()[0].stage, Stage::suspect);
  EXPECT_EQ(watch.leaks()[0].severity, Severity::info);
  look(graph, {1, 2});
  const Leak leak = watch.leaks().at(0);
  EXPECT_EQ(leak.stage, Stage::leaking);
  EXPECT_EQ(leak.severity, Severity::ticket);
  EXPECT_EQ(leak.evidence, Evidence::deadlock);
  EXPECT_EQ(leak.cause, Cause::lock_order);
  EXPECT_EQ(leak.count, 2U);
  EXPECT_EQ(leak.bytes, 2U * 8192);
  ASSERT_EQ(leak.members.size(), 2U);
  EXPECT_EQ(leak.members[0].goid, 1U);
  ASSERT_EQ(leak.members[0].holds.size(), 1U);
  EXPECT_EQ(leak.members[0].holds[0].object.address, 0x1000U);
  EXPECT_EQ(leak.members[0].holds[0].frame.line, 7);
  EXPECT_EQ(leak.members[0].waits_for.address, 0x1008U);
  EXPECT_EQ(watch.detected(), 1U);
  EXPECT_NE(leak.reasoning.find("2 goroutines wait for locks that they hold"), std::string::npos) << leak.reasoning;
}

TEST_F(Watched, KeepsItsIdWhenOthersJoin) {
  Graph graph = opposite_orders();
  look(graph, {1, 2}, 9);
  const std::string id = watch.leaks().at(0).id;
  graph.holds(3, 1);
  graph.waits(3, 0);
  look(graph, {1, 2, 3}, 12);
  ASSERT_EQ(watch.leaks().size(), 1U);
  EXPECT_EQ(watch.leaks()[0].id, id);
  EXPECT_EQ(watch.leaks()[0].count, 3U);
  EXPECT_EQ(watch.leaks()[0].peak, 3U);
}

TEST_F(Watched, IsOneWhereTheSameHappensToOthersInTheSamePlaces) {
  Graph graph = opposite_orders();
  const auto c = graph.lock();
  const auto d = graph.lock();
  graph.holds(3, c);
  graph.waits(3, d);
  graph.holds(4, d);
  graph.waits(4, c);
  look(graph, {1, 2, 3, 4}, 9);
  ASSERT_EQ(watch.leaks().size(), 1U);
  EXPECT_EQ(watch.leaks()[0].count, 4U);
  EXPECT_EQ(watch.leaks()[0].cause, Cause::lock_order);
}

TEST_F(Watched, TakesASuspicionBackThatTheNextLookDoesNotShare) {
  look(opposite_orders(), {1, 2}, 7);
  ASSERT_EQ(watch.leaks().size(), 1U);
  look({}, {1, 2});
  EXPECT_TRUE(watch.leaks().empty());
  EXPECT_EQ(watch.detected(), 0U);
}

TEST_F(Watched, IsResolvedWhenItIsGoneAndForgottenLater) {
  look(opposite_orders(), {1, 2}, 9);
  look({}, {}, 7);
  ASSERT_EQ(watch.leaks().size(), 1U);
  EXPECT_EQ(watch.leaks()[0].stage, Stage::resolved);
  EXPECT_EQ(watch.leaks()[0].severity, Severity::info);
  EXPECT_EQ(watch.leaks()[0].count, 0U);
  EXPECT_EQ(watch.leaks()[0].peak, 2U);
  look({}, {}, 100);
  EXPECT_TRUE(watch.leaks().empty());
}

TEST_F(Watched, CausesAreToldApart) {
  const auto cause = [&](const LockGraph& graph) {
    DeadlockWatch other("shop", Thresholds());
    LockGraph told = graph;
    told.at = now;
    other.look(told, ledger, now);
    return other.leaks().at(0).cause;
  };
  look({}, {1, 2, 3}, 8);
  const auto own = [](const std::string& kind, bool reads) {
    Graph graph;
    const auto a = graph.lock(kind);
    graph.holds(1, a);
    graph.waits(1, a, reads);
    return graph;
  };
  EXPECT_EQ(cause(own("mutex", false)), Cause::double_lock);
  EXPECT_EQ(cause(own("rwmutex", false)), Cause::lock_upgrade);
  EXPECT_EQ(cause(own("rwmutex", true)), Cause::recursive_read_lock);
  Graph group;
  const auto mutex = group.lock();
  const auto workers = group.lock("waitgroup", 1);
  group.holds(1, mutex);
  group.waits(1, workers);
  group.holds(2, workers);
  group.waits(2, mutex);
  EXPECT_EQ(cause(group), Cause::wait_under_lock);
}

TEST_F(Watched, HoldersAreNamedWithWhatKeepsThem) {
  ledger::GoroutineState holder = ledger::waiting(9, 9, WaitClass::chan_send);
  holder.blocked = ledger.intern(ledger::place("main.send", WaitClass::chan_send));
  ledger.apply(ledger::snapshot(now, now, {ledger::waiting(1, 1, WaitClass::mutex), holder}));
  Graph graph;
  const auto a = graph.lock();
  graph.waits(1, a);
  graph.at = now;
  const std::vector<Goid> waiters{1, 77};
  EXPECT_TRUE(held_by(graph, ledger, waiters)->empty());
  EXPECT_FALSE(held_by(graph, ledger, std::vector<Goid>{2}));
  graph.holds(9, a);
  graph.holds(100, a);  // has ended meanwhile
  const auto holders = held_by(graph, ledger, waiters);
  ASSERT_TRUE(holders);
  ASSERT_EQ(holders->size(), 1U);
  EXPECT_EQ(holders->at(0).goid, 9U);
  EXPECT_EQ(holders->at(0).blocked.function, "main.send");
  EXPECT_EQ(cause_by_holders(*holders, Cause::mutex_never_released), Cause::lock_held_over_channel);
  EXPECT_EQ(cause_by_holders({}, Cause::mutex_never_released), Cause::mutex_never_released);

  graph.at = now - std::chrono::seconds(1);
  EXPECT_FALSE(held_by(graph, ledger, waiters)) << "they have parked since the look";
}

}  // namespace
}  // namespace goleakd::verdict
