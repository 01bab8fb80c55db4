// SPDX-License-Identifier: Apache-2.0
// Recorded lives of programs, healthy and leaking, and what the engine makes of them.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "ledger_fixture.h"
#include "verdict/cause.h"
#include "verdict/engine.h"
#include "verdict/report.h"

namespace goleakd::verdict {
namespace {

using ledger::at;
using ledger::creation_site;
using ledger::Goid;
using ledger::place;
using ledger::WaitClass;

// A program that is looked at three times an interval. Everything is in terms of the interval, so that the same lives
// are judged alike with the default window and with one of seconds.
class Program : public testing::TestWithParam<std::chrono::nanoseconds> {
 protected:
  Program() : thresholds(scaled(GetParam())), interval(thresholds.interval()), engine("shop", thresholds) {
    facts.started = now - thresholds.quiet_after_start * 2;
    start(kMain, "runtime.main", "main.main", WaitClass::chan_receive);
  }

  static Thresholds scaled(std::chrono::nanoseconds window) {
    const Thresholds defaults;
    const auto scale = [&](std::chrono::nanoseconds value) {
      return value / (defaults.growing_window / std::chrono::milliseconds(1)) * (window / std::chrono::milliseconds(1));
    };
    Thresholds result;
    result.quiet_after_start = scale(defaults.quiet_after_start);
    result.growing_window = window;
    result.stale_after = scale(defaults.stale_after);
    result.keep_resolved = scale(defaults.keep_resolved);
    return result;
  }

  // A goroutine that waits. Its state can be changed until the next look.
  ledger::GoroutineState& start(Goid goid, const std::string& creation, const std::string& blocked, WaitClass wait,
                                bool in_loop = false) {
    ledger::GoroutineState state = ledger::waiting(goid, ++park_identity, wait);
    state.creation = ledger.intern(creation_site(creation));
    ledger::BlockedPlace where = place(blocked, wait);
    where.in_loop = in_loop;
    state.blocked = ledger.intern(where);
    return goroutines[goid] = state;
  }
  Goid leak(int count = 1, WaitClass wait = WaitClass::chan_send) {
    for (int i = 0; i < count; ++i) start(++last_goid, "main.handle", "main.handle.func1", wait);
    return last_goid;
  }
  void stop(Goid goid) { goroutines.erase(goid); }
  void stop_all() {
    std::erase_if(goroutines, [](const auto& entry) { return entry.first != kMain; });
  }
  void wake(Goid goid) { goroutines[goid].park_identity = ++park_identity; }

  void look() {
    now += interval / 3;
    ledger::Snapshot snapshot{.begin = now - interval / 300, .end = now, .goroutines = {}, .torn = 0};
    for (const auto& [goid, state] : goroutines) snapshot.goroutines.push_back(state);
    ledger.apply(snapshot);
    engine.observe(ledger, facts, now);
  }
  // `each` runs before every look.
  void run(
      int intervals, const std::function<void()>& each = [] {}) {
    for (int i = 0; i < 3 * intervals; ++i) {
      each();
      look();
    }
  }
  void expect_silence(
      int intervals, const std::function<void()>& each = [] {}) {
    run(intervals, [&] {
      each();
      ASSERT_TRUE(engine.leaks().empty()) << engine.leaks()[0].blocked.function << ": " << engine.leaks()[0].reasoning;
    });
    EXPECT_TRUE(engine.leaks().empty());
    EXPECT_EQ(engine.detected(), 0U);
  }
  const Leak& only() const {
    static const Leak none;
    EXPECT_EQ(engine.leaks().size(), 1U);
    return engine.leaks().empty() ? none : engine.leaks()[0];
  }

  static constexpr Goid kMain = 1;
  Thresholds thresholds;
  std::chrono::nanoseconds interval;
  ledger::Ledger ledger;
  Engine engine;
  ProcessFacts facts;
  Instant now = at(0);
  std::map<Goid, ledger::GoroutineState> goroutines;
  Goid last_goid = 100;
  std::uint64_t park_identity = 0;
};

INSTANTIATE_TEST_SUITE_P(Windows, Program,
                         testing::Values(std::chrono::minutes(5), std::chrono::seconds(12),
                                         std::chrono::milliseconds(300)));

// --- growing ---

TEST_P(Program, ALeakIsFoundInTime) {
  run(20);  // goleakd has watched a while
  const Instant begin = now;
  Instant found;
  run(12, [&] {
    leak();
    if (found == Instant{} && engine.detected() == 1) found = now;
  });
  // "From the first leaked goroutine to the verdict: growing ≤ 6 min", which is 12 intervals by default.
  ASSERT_NE(found, Instant{});
  EXPECT_LE(found - begin, 12 * interval);

  const Leak& leak = only();
  EXPECT_EQ(leak.stage, Stage::leaking);
  EXPECT_EQ(leak.evidence, Evidence::growing);
  EXPECT_EQ(leak.severity, Severity::ticket);
  EXPECT_EQ(leak.creation.function, "main.handle");
  EXPECT_EQ(leak.blocked.function, "main.handle.func1");
  EXPECT_EQ(leak.blocked.wait, WaitClass::chan_send);
  EXPECT_EQ(leak.count, 36U - 3);  // those of the last interval may yet go on
  EXPECT_EQ(leak.peak, leak.count);
  EXPECT_EQ(leak.bytes, leak.count * 8192);
  EXPECT_EQ(leak.goroutines, (std::vector<std::uint64_t>{101, 102, 103, 104, 105}));
  EXPECT_EQ(leak.blocked_at_least_since, begin + interval / 3);
  const double per_hour = 3 / std::chrono::duration<double, std::ratio<3600>>(interval).count();
  EXPECT_NEAR(leak.growth_per_hour, per_hour, per_hour / 4);
  EXPECT_TRUE(leak.reasoning.find("rose in 10 of 10 intervals over ") == 0) << leak.reasoning;
  EXPECT_TRUE(leak.reasoning.find("; 100 % stayed in the same park") != std::string::npos) << leak.reasoning;
}

TEST_P(Program, ALeakIsASuspectFirst) {
  run(20);
  std::vector<Stage> stages;
  run(12, [&] {
    leak();
    for (const Leak& found : engine.leaks()) {
      if (stages.empty() || stages.back() != found.stage) stages.push_back(found.stage);
    }
  });
  EXPECT_EQ(stages, (std::vector{Stage::suspect, Stage::leaking}));
  EXPECT_EQ(engine.detected(), 1U);
}

TEST_P(Program, APathThatLeaksOneInTenOfABusySiteIsFound) {
  std::vector<Goid> busy;
  int looks = 0;
  run(30, [&] {
    for (const Goid goid : busy) stop(goid);
    busy.clear();
    // Load moves up and down; all wait in one place for a moment, one in ten for ever.
    const int load = 20 + 10 * ((looks++ / 7) % 3);
    for (int i = 0; i < load; ++i) busy.push_back(leak());
    for (int i = 0; i < load / 10; ++i) busy.pop_back();
  });
  EXPECT_EQ(only().stage, Stage::leaking);
  EXPECT_EQ(only().severity, Severity::ticket);
  EXPECT_LT(only().count, goroutines.size() - 15);  // those that pass through are not counted
  EXPECT_GT(only().count, 30U);
}

TEST_P(Program, ABusySiteIsSilent) {
  std::vector<Goid> busy;
  int looks = 0;
  expect_silence(40, [&] {
    for (const Goid goid : busy) stop(goid);
    busy.clear();
    for (int i = 0; i < 10 + looks * 5; ++i) busy.push_back(leak());  // ever more load
    ++looks;
  });
}

TEST_P(Program, SlowRequestsUnderGrowingLoadAreSilent) {
  // Each takes an interval and a half: many are aged, none survives.
  std::map<int, std::vector<Goid>> by_look;
  int looks = 0;
  expect_silence(40, [&] {
    for (const Goid goid : by_look[looks - 5]) stop(goid);
    for (int i = 0; i < 5 + looks; ++i) by_look[looks].push_back(leak());
    ++looks;
  });
}

TEST_P(Program, ABurstIsSilent) {
  expect_silence(15);
  leak(1000);
  expect_silence(4);
  stop_all();
  expect_silence(15);
}

TEST_P(Program, ABurstThatStaysIsNotGrowth) {
  expect_silence(15);
  leak(1000);
  expect_silence(30);
}

TEST_P(Program, WarmingUpIsSilent) {
  facts.started = now;
  const auto quiet = static_cast<int>(thresholds.quiet_after_start / interval);
  expect_silence(quiet, [&] { leak(5); });
  expect_silence(20);
}

TEST_P(Program, GrowthFromTheStartIsJudgedAfterTheQuietTime) {
  facts.started = now;
  const auto quiet = static_cast<int>(thresholds.quiet_after_start / interval);
  expect_silence(quiet + thresholds.growing_intervals, [&] { leak(); });
  EXPECT_FALSE(engine.last_run(Evidence::growing).has_value());  // silence did not mean "checked"
  run(3, [&] { leak(); });
  EXPECT_TRUE(engine.last_run(Evidence::growing).has_value());
  EXPECT_EQ(only().stage, Stage::leaking);
}

TEST_P(Program, APoolThatFillsWithinTheWindowIsSilent) {
  expect_silence(15);
  int workers = 0;
  expect_silence(30, [&] {
    if (workers++ < 18) start(++last_goid, "main.pool", "main.worker", WaitClass::chan_receive, true);
  });
}

TEST_P(Program, APoolThatFillsSlowlyIsTakenDownToInformationWhenItIsFull) {
  run(15);
  for (int worker = 0; worker < 40; ++worker) {
    start(++last_goid, "main.pool", "main.worker", WaitClass::chan_receive, true);
    look();
  }
  EXPECT_EQ(only().severity, Severity::ticket);
  run(thresholds.growing_intervals + 2);
  EXPECT_EQ(only().stage, Stage::leaking);
  EXPECT_EQ(only().severity, Severity::info);
  EXPECT_EQ(only().growth_per_hour, 0);
  EXPECT_EQ(only().cause, Cause::range_never_closed);
  EXPECT_NE(only().reasoning.find("40 still stuck"), std::string::npos) << only().reasoning;
}

TEST_P(Program, AWorkingPoolIsSilent) {
  for (int i = 0; i < 10; ++i) start(++last_goid, "main.pool", "main.worker", WaitClass::chan_receive, true);
  Goid next = 101;
  expect_silence(40, [&] {
    wake(next);
    next = next == last_goid ? 101 : next + 1;
    if (next == 105) start(++last_goid, "main.pool", "main.worker", WaitClass::chan_receive, true);
  });
}

TEST_P(Program, APoolThatGetsLessToDoIsSilent) {
  // Its goroutines fall idle one after the other, but their number does not rise.
  leak(60);
  Goid idle = 101;
  expect_silence(19, [&] {
    for (Goid goid = idle; goid <= last_goid; ++goid) wake(goid);
    ++idle;
  });
}

TEST_P(Program, TickersAreSilent) {
  expect_silence(40, [&] {
    leak(1, WaitClass::sleep);
    for (Goid goid = 101; goid <= last_goid; ++goid) wake(goid);
  });
}

TEST_P(Program, IdleConnectionsAreInformation) {
  run(15);
  run(15, [&] { leak(1, WaitClass::io); });
  EXPECT_EQ(only().stage, Stage::leaking);
  EXPECT_EQ(only().severity, Severity::info);
  EXPECT_EQ(only().cause, Cause::io_wait);
}

TEST_P(Program, GrowthThatWillFillTheMemoryInADayPages) {
  run(15);
  run(13, [&] { leak(); });
  ASSERT_EQ(only().severity, Severity::ticket);  // no limit known
  const auto per_day = static_cast<std::uint64_t>(only().growth_per_hour * 24 * 8192);
  facts.memory_limit_bytes = per_day * 3;
  facts.resident_bytes = per_day;
  run(2, [&] { leak(); });
  EXPECT_EQ(only().severity, Severity::ticket);
  facts.resident_bytes = per_day * 5 / 2;
  run(2, [&] { leak(); });
  EXPECT_EQ(only().severity, Severity::page);
  facts.resident_bytes = per_day * 4;  // beyond the limit already
  run(2, [&] { leak(); });
  EXPECT_EQ(only().severity, Severity::page);
}

// --- forever ---

TEST_P(Program, MainInSelectIsSilent) {
  start(kMain, "runtime.main", "main.main", WaitClass::select_no_cases);
  expect_silence(40);
}

TEST_P(Program, OthersInSelectAreInformation) {
  leak(1, WaitClass::select_no_cases);
  look();
  EXPECT_EQ(only().stage, Stage::suspect);
  run(3);
  EXPECT_EQ(only().stage, Stage::leaking);
  EXPECT_EQ(only().evidence, Evidence::forever);
  EXPECT_EQ(only().severity, Severity::info);
  EXPECT_EQ(only().cause, Cause::select_no_cases);
  EXPECT_EQ(only().count, 1U);
  EXPECT_EQ(engine.detected(), 1U);
}

TEST_P(Program, NilChannelsThatGrowAreATicket) {
  run(15);
  run(15, [&] { leak(1, WaitClass::chan_receive_nil); });
  EXPECT_EQ(only().evidence, Evidence::forever);
  EXPECT_EQ(only().cause, Cause::nil_channel);
  EXPECT_EQ(only().severity, Severity::ticket);
  EXPECT_EQ(only().count, 45U);  // all of them: none can go on
  EXPECT_GT(only().growth_per_hour, 0);
  run(12);
  EXPECT_EQ(only().stage, Stage::leaking);
  EXPECT_EQ(only().severity, Severity::info);
}

TEST_P(Program, WhatCanNeverWakeIsNotResolvedWhileAnyIsLeft) {
  leak(10, WaitClass::chan_send_nil);
  run(4);
  for (Goid goid = 101; goid <= 107; ++goid) stop(goid);
  run(6);
  EXPECT_EQ(only().stage, Stage::leaking);
  EXPECT_EQ(only().count, 3U);
  EXPECT_EQ(engine.detected(), 1U);  // it has not come and gone in between
}

// --- stale ---

class Stale : public Program {
 protected:
  void wait_long() { run(static_cast<int>(thresholds.stale_after / interval) + 4); }
};
INSTANTIATE_TEST_SUITE_P(Windows, Stale, testing::Values(std::chrono::minutes(5), std::chrono::seconds(12)));

TEST_P(Stale, ALongWaitIsInformation) {
  leak(3);
  wait_long();
  EXPECT_EQ(only().evidence, Evidence::stale);
  EXPECT_EQ(only().stage, Stage::leaking);
  EXPECT_EQ(only().severity, Severity::info);
  EXPECT_EQ(only().count, 3U);
  leak(5);  // young ones are not among them
  run(2);
  EXPECT_EQ(only().count, 3U);
}

TEST_P(Stale, WaitsThatAreMeantToLastAreSilent) {
  start(kMain, "runtime.main", "main.main", WaitClass::wait_group);
  start(++last_goid, "main.serve", "net/http.(*Server).Serve", WaitClass::io);
  start(++last_goid, "main.tick", "main.tick", WaitClass::sleep);
  start(++last_goid, "main.cgo", "main.cgo", WaitClass::syscall);
  start(++last_goid, "os/signal.Notify.func1.1", "os/signal.loop", WaitClass::chan_receive);
  start(++last_goid, "main.pool", "main.worker", WaitClass::chan_receive, true);
  start(++last_goid, "main.loop", "main.loop", WaitClass::select);
  wait_long();
  EXPECT_TRUE(engine.leaks().empty()) << engine.leaks()[0].blocked.function;
}

TEST_P(Stale, AnIdleWorkerWithoutItsParentIsNot) {
  start(++last_goid, "main.request", "main.request.func1", WaitClass::select).parent = 77;
  start(++last_goid, "main.pool", "main.worker", WaitClass::chan_receive, true).parent = 77;
  wait_long();
  ASSERT_EQ(engine.leaks().size(), 2U);
  EXPECT_EQ(engine.leaks()[0].orphans, 1U);
}

// --- the life of a leak ---

TEST_P(Program, AResolvedLeakIsKeptForAWhile) {
  run(15);
  run(14, [&] { leak(); });
  ASSERT_EQ(only().stage, Stage::leaking);
  const std::string id = only().id;
  stop_all();
  look();
  EXPECT_EQ(only().count, 0U);  // at once, between two evaluations
  run(3);
  EXPECT_EQ(only().stage, Stage::resolved);
  EXPECT_EQ(only().severity, Severity::info);
  EXPECT_EQ(only().id, id);
  EXPECT_GT(only().peak, 30U);
  EXPECT_EQ(only().reasoning.find("0 left of "), 0U) << only().reasoning;
  const auto kept = static_cast<int>(thresholds.keep_resolved / interval);
  run(kept - 3);
  EXPECT_EQ(only().stage, Stage::resolved);
  run(6);
  EXPECT_TRUE(engine.leaks().empty());
  EXPECT_EQ(engine.detected(), 1U);
}

TEST_P(Program, ALeakWithMoreThanHalfOfItsPeakIsNotResolved) {
  run(15);
  run(14, [&] { leak(); });
  for (Goid goid = 101; goid <= 110; ++goid) stop(goid);
  run(10);
  EXPECT_EQ(only().stage, Stage::leaking);
  for (Goid goid = 111; goid <= 130; ++goid) stop(goid);
  run(3);
  EXPECT_EQ(only().stage, Stage::resolved);
  EXPECT_EQ(only().count, 12U);
}

TEST_P(Program, ALeakThatPausesIsStillLeaking) {
  run(15);
  run(14, [&] { leak(); });
  const Instant first_seen = only().first_seen;
  run(5);  // a lull
  EXPECT_EQ(only().severity, Severity::ticket);
  run(10);  // the night
  EXPECT_EQ(only().stage, Stage::leaking);
  EXPECT_EQ(only().severity, Severity::info);
  EXPECT_EQ(only().growth_per_hour, 0);
  run(12, [&] { leak(); });
  EXPECT_EQ(only().severity, Severity::ticket);
  EXPECT_EQ(only().first_seen, first_seen);
  EXPECT_EQ(engine.detected(), 1U);
}

TEST_P(Program, AResolvedLeakThatComesBackIsTheSame) {
  run(15);
  run(14, [&] { leak(4); });
  const std::string id = only().id;
  stop_all();
  run(4);
  ASSERT_EQ(only().stage, Stage::resolved);
  run(14, [&] { leak(); });
  EXPECT_EQ(only().stage, Stage::leaking);
  EXPECT_EQ(only().id, id);
  EXPECT_EQ(engine.detected(), 2U);
  run(20);
  EXPECT_EQ(only().stage, Stage::leaking);  // what was its peak before does not count any more
}

TEST_P(Program, ASuspectThatIsNotConfirmedIsDropped) {
  run(20);
  int looks = 0;
  while (engine.leaks().empty() && ++looks < 40) {
    leak();
    look();
  }
  ASSERT_EQ(only().stage, Stage::suspect);
  stop_all();
  run(2);
  EXPECT_TRUE(engine.leaks().empty());
  EXPECT_EQ(engine.detected(), 0U);
}

TEST_P(Program, WhatComesAndGoesNeverLeaks) {
  expect_silence(60, [&, looks = 0]() mutable {
    leak();
    if (++looks % 18 == 0) stop_all();  // six intervals of growth, then all are done
  });
}

TEST_P(Program, WorstComesFirst) {
  run(15);
  leak(1, WaitClass::select_no_cases);
  run(14, [&] {
    leak();
    leak(2, WaitClass::mutex);
    leak(3, WaitClass::io);
  });
  ASSERT_EQ(engine.leaks().size(), 4U);
  EXPECT_EQ(engine.leaks()[0].cause, Cause::mutex_never_released);
  EXPECT_EQ(engine.leaks()[1].blocked.wait, WaitClass::chan_send);
  EXPECT_EQ(engine.leaks()[2].cause, Cause::io_wait);
  EXPECT_EQ(engine.leaks()[3].cause, Cause::select_no_cases);
}

TEST_P(Program, ChecksSayWhenTheyRan) {
  EXPECT_FALSE(engine.last_run(Evidence::forever).has_value());
  look();
  EXPECT_EQ(engine.last_run(Evidence::forever), now);
  EXPECT_EQ(engine.last_run(Evidence::stale), now);
  EXPECT_FALSE(engine.last_run(Evidence::growing).has_value());
  const Instant first = now;
  look();
  EXPECT_EQ(engine.last_run(Evidence::forever), first);  // no interval has passed
  run(11);
  EXPECT_TRUE(engine.last_run(Evidence::growing).has_value());
}

TEST_P(Program, ASnapshotThatIsALittleEarlyIsEvaluated) {
  look();
  const Instant first = now;
  engine.observe(ledger, facts, first + interval * 9 / 10);
  EXPECT_EQ(engine.last_run(Evidence::forever), first);
  engine.observe(ledger, facts, first + interval * 97 / 100);
  EXPECT_EQ(engine.last_run(Evidence::forever), first + interval * 97 / 100);
}

// --- identity ---

TEST_P(Program, PlacesOfOneFunctionAreOneLeak) {
  run(15);
  run(14, [&] {
    leak();
    for (int i = 0; i < 2; ++i) {
      ledger::GoroutineState& other = start(++last_goid, "main.handle", "main.handle.func1", WaitClass::chan_send);
      other.blocked = ledger.intern(place("main.handle.func1", WaitClass::chan_send, 77));
      other.object = ledger::WaitObject{.address = 0xc000000000, .length = 3, .capacity = 3, .closed = false};
    }
  });
  EXPECT_EQ(only().count, 3U * (42 - 3));
  EXPECT_EQ(only().blocked.line, 77);  // where most of them are
  EXPECT_EQ(only().cause, Cause::send_buffer_full);
  EXPECT_EQ(only().channels, 1U);
}

TEST_P(Program, ReplicasAgreeOnTheId) {
  Engine replica("shop", thresholds);
  Engine other("cart", thresholds);
  leak(1, WaitClass::select_no_cases);
  look();
  replica.observe(ledger, facts, now);
  other.observe(ledger, facts, now);
  ASSERT_EQ(replica.leaks().size(), 1U);
  EXPECT_EQ(replica.leaks()[0].id, only().id);
  EXPECT_EQ(replica.leaks()[0].site_id, only().site_id);
  EXPECT_NE(other.leaks()[0].id, only().id);
}

TEST(Ids, NeverChange) {
  // People's dashboards, silences and history hold them.
  ledger::CreationSite site = creation_site("example.com/shop/cart.(*Cart).Sync", 1);
  ledger::BlockedPlace blocked = place("example.com/shop/cart.push", WaitClass::chan_send, 42);
  EXPECT_EQ(site_id("shop", site), "68a37dd79a3b6523");
  EXPECT_EQ(leak_id("shop", site, blocked), "d1f3f648bf9325e3");
  site.line = 1000;
  site.file = "elsewhere.go";
  site.entry = "renamed";
  blocked.line = 7;
  blocked.reason = "chan send (durable)";
  EXPECT_EQ(leak_id("shop", site, blocked), "d1f3f648bf9325e3");
  site.ordinal = 0;
  EXPECT_NE(site_id("shop", site), "68a37dd79a3b6523");
}

// --- causes ---

Group group_at(const ledger::BlockedPlace& where) {
  Group group;
  group.place = &where;
  group.count = 4;
  return group;
}

TEST(Causes, FollowFromTheWait) {
  const std::map<WaitClass, Cause> table{
      {WaitClass::chan_receive, Cause::receive_never_satisfied},
      {WaitClass::chan_send_nil, Cause::nil_channel},
      {WaitClass::chan_receive_nil, Cause::nil_channel},
      {WaitClass::select, Cause::select_without_exit},
      {WaitClass::select_no_cases, Cause::select_no_cases},
      {WaitClass::mutex, Cause::mutex_never_released},
      {WaitClass::rwmutex_read, Cause::mutex_never_released},
      {WaitClass::rwmutex_write, Cause::mutex_never_released},
      {WaitClass::wait_group, Cause::wait_group_never_done},
      {WaitClass::cond, Cause::cond_never_signalled},
      {WaitClass::semaphore, Cause::semaphore_never_released},
      {WaitClass::io, Cause::io_wait},
      {WaitClass::sleep, Cause::sleeping},
      {WaitClass::syscall, Cause::syscall},
      {WaitClass::coroutine, Cause::coroutine_never_stopped},
      {WaitClass::none, Cause::unknown},
      {WaitClass::runtime, Cause::unknown},
      {WaitClass::chan_send, Cause::unknown},  // no channel could be read
  };
  EXPECT_EQ(table.size(), static_cast<std::size_t>(WaitClass::runtime) + 1);
  for (const auto& [wait, cause] : table) {
    const ledger::BlockedPlace where = place("main.f", wait);
    EXPECT_EQ(cause_of(group_at(where)), cause) << to_string(wait);
  }
}

TEST(Causes, LookAtTheChannelsAndTheLoop) {
  const ledger::BlockedPlace send = place("main.f", WaitClass::chan_send);
  Group group = group_at(send);
  group.with_object = 4;
  group.unbuffered = 4;
  EXPECT_EQ(cause_of(group), Cause::send_unbuffered_no_receiver);
  group.unbuffered = 1;
  group.full = 3;
  EXPECT_EQ(cause_of(group), Cause::send_buffer_full);

  ledger::BlockedPlace range = place("main.f", WaitClass::chan_receive);
  range.in_loop = true;
  EXPECT_EQ(cause_of(group_at(range)), Cause::range_never_closed);
}

// Go 1.19 calls every lock "semacquire".
TEST(Causes, TellLocksApartByTheStack) {
  const auto with_stack = [](const char* function) {
    ledger::BlockedPlace where = place("main.f", WaitClass::semaphore);
    where.stack = std::make_shared<std::vector<ledger::Frame>>(
        std::vector<ledger::Frame>{{"sync.runtime_Semacquire", "", 0}, {function, "", 0}, {"main.f", "", 0}});
    return cause_of(group_at(where));
  };
  EXPECT_EQ(with_stack("sync.(*WaitGroup).Wait"), Cause::wait_group_never_done);
  EXPECT_EQ(with_stack("sync.(*Mutex).lockSlow"), Cause::mutex_never_released);
  EXPECT_EQ(with_stack("sync.(*RWMutex).RLock"), Cause::mutex_never_released);
  EXPECT_EQ(with_stack("main.acquire"), Cause::semaphore_never_released);
}

TEST(Causes, AllHaveTheirWords) {
  std::set<std::string_view> words;
  std::set<std::string_view> advice;
  for (int i = 0; i <= static_cast<int>(Cause::unknown); ++i) {
    const auto cause = static_cast<Cause>(i);
    words.insert(to_string(cause));
    advice.insert(advise(cause));
    EXPECT_FALSE(explain(cause).empty());
    EXPECT_EQ(to_string(cause) == "unknown", cause == Cause::unknown);
  }
  EXPECT_EQ(words.size(), static_cast<std::size_t>(Cause::unknown) + 1);
  EXPECT_EQ(advice.size(), words.size());
}

TEST(Words, AreFixed) {
  EXPECT_EQ(to_string(Evidence::forever), "forever");
  EXPECT_EQ(to_string(Evidence::growing), "growing");
  EXPECT_EQ(to_string(Evidence::stale), "stale");
  EXPECT_EQ(to_string(Severity::page), "page");
  EXPECT_EQ(to_string(Stage::resolved), "resolved");
  EXPECT_EQ(to_string(Mode::events), "events");
  EXPECT_EQ(to_string(Mode::snapshots), "snapshots");
}

TEST(DurationHistogram, IsCumulative) {
  DurationHistogram histogram;
  histogram.observe(0.001);
  histogram.observe(0.3);
  histogram.observe(10);
  EXPECT_EQ(histogram.cumulative, (std::array<std::uint64_t, 10>{1, 1, 1, 1, 1, 1, 1, 1, 2, 2}));
  EXPECT_EQ(histogram.count, 3U);
  EXPECT_DOUBLE_EQ(histogram.sum, 10.301);
}

}  // namespace
}  // namespace goleakd::verdict
