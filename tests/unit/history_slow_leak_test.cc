// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "history/slow_leak.h"

namespace goleakd::history {
namespace {

constexpr Seconds kHour = 3600;
constexpr Seconds kDay = 24 * kHour;

// A process that was watched all the time, its count as a function of the hour of its uptime.
RunCounts run(Seconds uptime, const std::function<double(double)>& count, Seconds unseen = 0) {
  RunCounts run(0, unseen, uptime, SlowLeakThresholds{}.parts);
  for (Seconds at = unseen; at < uptime; at += 600) {
    run.add(at, static_cast<std::uint64_t>(count(static_cast<double>(at) / kHour)));
  }
  return run;
}

// One goroutine in half an hour, beside ten that are always there.
double leaks(double hour) { return 10 + 2 * hour; }

// Load that comes by day and goes by night, of a process restarted at 3 o'clock.
double load(double hour) { return 10 + 40 * std::pow(std::sin(hour * 3.14159 / 24), 2); }

TEST(SlowLeak, FoundBehindNightlyRestarts) {
  const std::vector runs(3, run(kDay, leaks));
  const auto trend = slow_trend(runs, {});
  ASSERT_TRUE(trend);
  EXPECT_EQ(trend->runs, 3);
  EXPECT_EQ(trend->rising, 3);
  EXPECT_NEAR(trend->per_hour, 2, 0.1);
  EXPECT_NEAR(trend->start, 10, 0.1);
  EXPECT_NEAR(trend->rise, 42, 2);
}

TEST(SlowLeak, FoundUnderLoadThatComesAndGoes) {
  const auto busy = [](double hour) { return leaks(hour) + 15 * std::pow(std::sin(hour), 2); };
  EXPECT_TRUE(slow_trend(std::vector(4, run(kDay, busy)), {}));
}

TEST(SlowLeak, LoadIsNone) {
  EXPECT_FALSE(slow_trend(std::vector(5, run(kDay, load)), {}));
  EXPECT_FALSE(slow_trend(std::vector(5, run(kDay, [](double hour) { return 30 + 20 * std::sin(hour); })), {}));
}

TEST(SlowLeak, PoolsAndConstantsAreNone) {
  EXPECT_FALSE(slow_trend(std::vector(5, run(kDay, [](double) { return 64.0; })), {}));
  EXPECT_FALSE(slow_trend(std::vector(5, run(kDay, [](double hour) { return std::min(64.0, 20 + 10 * hour); })), {}))
      << "a pool that fills to its ceiling in five hours";
}

TEST(SlowLeak, TwoProcessesAreTooFew) { EXPECT_FALSE(slow_trend(std::vector(2, run(kDay, leaks)), {})); }

TEST(SlowLeak, ProcessesThatBeginElsewhereAreNone) {
  std::vector<RunCounts> runs;
  for (const double base : {10.0, 200.0, 800.0, 1500.0}) {
    runs.push_back(run(kDay, [&](double hour) { return base + 2 * hour; }));
  }
  EXPECT_FALSE(slow_trend(runs, {})) << "what a restart does not take away is no goroutine";
}

TEST(SlowLeak, OneHealthyProcessAmongManyDoesNotHideIt) {
  std::vector<RunCounts> runs(5, run(kDay, leaks));
  runs.push_back(run(kDay, load));
  EXPECT_TRUE(slow_trend(runs, {}));
  runs.push_back(run(kDay, load));
  EXPECT_FALSE(slow_trend(runs, {})) << "five of seven";
}

TEST(SlowLeak, AVersionWithoutItTakesItAway) {
  std::vector<RunCounts> runs(2, run(kDay, [](double) { return 10.0; }));  // the newest first
  runs.insert(runs.end(), 6, run(kDay, leaks));
  EXPECT_FALSE(slow_trend(runs, {}));
}

TEST(SlowLeak, WhatCannotBeJudgedDoesNotCount) {
  const RunCounts good = run(kDay, leaks);
  const RunCounts brief = run(kHour / 2, leaks);
  const RunCounts late = run(kDay, leaks, kDay / 2);
  RunCounts holes(0, 0, kDay, 8);
  holes.add(0, 10);
  holes.add(kDay - 1, 58);
  for (const RunCounts& bad : {brief, late, holes}) {
    EXPECT_FALSE(bad.can_be_judged({}));
    EXPECT_FALSE(slow_trend(std::vector{good, good, bad}, {}));
  }
  EXPECT_TRUE(slow_trend(std::vector{good, brief, good, late, good, holes}, {}));
}

TEST(SlowLeak, UptimesMayDiffer) {
  std::vector<RunCounts> runs;
  for (const Seconds days : {1, 3, 2}) runs.push_back(run(days * kDay, leaks));
  const auto trend = slow_trend(runs, {});
  ASSERT_TRUE(trend);
  EXPECT_NEAR(trend->per_hour, 2, 0.1);
}

TEST(SlowLeak, FloorsForgetWhatComesBack) {
  RunCounts run(0, 0, 99, 4);
  run.add(10, 5);
  run.add(30, 90);
  run.add(60, 7);
  run.add(80, 9);
  run.add(81, 8);
  EXPECT_EQ(run.floors(), (std::vector<std::uint64_t>{5, 7, 7, 8}));
}

}  // namespace
}  // namespace goleakd::history
