// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ledger_fixture.h"
#include "verdict/engine.h"

namespace goleakd::verdict {

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
    result.accumulating_window = scale(defaults.accumulating_window);
    result.stuck_after = scale(defaults.stuck_after);
    result.cancelled_after = scale(defaults.cancelled_after);
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
  // One that runs, and is not seen to wait.
  ledger::GoroutineState& spin(Goid goid, const std::string& creation) {
    ledger::GoroutineState state = ledger::running(goid);
    state.creation = ledger.intern(creation_site(creation));
    return goroutines[goid] = state;
  }
  void wake_all() {
    for (auto& [goid, state] : goroutines) {
      if (goid != kMain && state.state == ledger::RunState::waiting) wake(goid);
    }
  }

  void look() {
    now += interval / 3;
    std::vector<ledger::GoroutineState> states;
    for (const auto& [goid, state] : goroutines) states.push_back(state);
    ledger.apply(ledger::snapshot(now - interval / 300, now, std::move(states)));
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

// Of an alias of Program: every file has its own, so that each test is made once.
inline auto windows() {
  return testing::Values(std::chrono::minutes(5), std::chrono::seconds(12), std::chrono::milliseconds(300));
}

}  // namespace goleakd::verdict
