// SPDX-License-Identifier: Apache-2.0
#include "probe/governor.h"

#include <gtest/gtest.h>

#include <chrono>

namespace goleakd::probe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr double kHit = 1e-6;  // seconds: a budget of 1 % of one core is 10,000 hits a second

// A process that lives by the second.
struct Program {
  double cores = 1;
  double spawns = 0;  // per second
  double turns = 0;   // per second, first turns included
  double panics = 0;  // per second, each with its end
  bool counts = true;

  Reading now;
  // Its probes are hit twice for each spawn, and twice for each turn but once for a first one, where they are in place.
  void live(Governor& governor, int for_seconds = 1) {
    for (int i = 0; i < for_seconds; ++i) {
      const bool spawn_exit = governor.wants(Group::spawn_exit);
      const bool park_unpark = governor.wants(Group::park_unpark);
      now.at += seconds(1);
      now.counted_at = now.at;
      now.cpu += std::chrono::duration_cast<Duration>(std::chrono::duration<double>(cores));
      spawned_ += static_cast<std::uint64_t>(spawns);
      scheduled_ += static_cast<std::uint64_t>(turns);
      now.spawned = counts ? std::optional(spawned_) : std::nullopt;
      now.scheduled = counts ? std::optional(scheduled_) : std::nullopt;
      if (spawn_exit) now.hits[0] += static_cast<std::uint64_t>(2 * spawns);
      if (park_unpark) now.hits[1] += static_cast<std::uint64_t>(2 * turns - spawns);
      if (governor.wants(Group::panics)) now.panic_hits += static_cast<std::uint64_t>(2 * panics);
      governor.read(now);
    }
  }

 private:
  std::uint64_t spawned_ = 0;
  std::uint64_t scheduled_ = 0;
};

class GovernorTest : public ::testing::Test {
 protected:
  bool spawns() const { return governor.wants(Group::spawn_exit); }
  bool parks() const { return governor.wants(Group::park_unpark); }

  Budget budget{.max_overhead = 0.01, .idle_cores = 0.1, .hold = seconds(30)};
  Governor governor{budget, Handling::quick, kHit};
  Program program;
};

TEST_F(GovernorTest, LetsNothingInBeforeItKnowsARate) {
  program.live(governor);
  EXPECT_FALSE(spawns());
  EXPECT_FALSE(governor.why_not(Group::spawn_exit).empty());
  EXPECT_FALSE(governor.overhead().predicted);
}

TEST_F(GovernorTest, LetsInWhatFits) {
  program.spawns = 1000;
  program.turns = 2500;
  program.live(governor, 2);
  EXPECT_TRUE(spawns());
  EXPECT_TRUE(parks());
  EXPECT_EQ(governor.why_not(Group::park_unpark), "");
  ASSERT_TRUE(governor.overhead().predicted);
  EXPECT_NEAR(governor.overhead().ratio(*governor.overhead().predicted), 0.006, 1e-9);
  program.live(governor);
  EXPECT_NEAR(governor.overhead().ratio(governor.overhead().measured), 0.006, 1e-9);
  EXPECT_EQ(governor.trips(), 0U);
}

TEST_F(GovernorTest, RefusesBeforeAnythingIsPaid) {
  program.spawns = 100;
  program.turns = 1e6;
  program.live(governor, 20);
  EXPECT_TRUE(spawns());
  EXPECT_FALSE(parks());
  EXPECT_EQ(governor.trips(), 0U);
  EXPECT_NE(governor.why_not(Group::park_unpark).find("would cost 200 %"), std::string::npos)
      << governor.why_not(Group::park_unpark);
  program.spawns = 1e6;
  Governor fresh(budget, Handling::quick, kHit);
  program.live(fresh, 20);
  EXPECT_FALSE(fresh.wants(Group::spawn_exit));
  EXPECT_FALSE(fresh.wants(Group::park_unpark)) << "parks without spawns";
}

TEST_F(GovernorTest, WatchesAnIdleProcessThoughItHasHardlyAnyTimeToTakeAShareOf) {
  program.cores = 0.0001;
  program.spawns = 10;
  program.turns = 100;
  program.live(governor, 2);
  EXPECT_TRUE(spawns());
  EXPECT_TRUE(parks());
  EXPECT_DOUBLE_EQ(governor.overhead().used, 0.1);
}

TEST_F(GovernorTest, TakesTheLeastTellingOnesAwayWhenTheyBreakTheBudget) {
  program.spawns = 1000;
  program.turns = 2500;
  program.live(governor, 3);
  ASSERT_TRUE(parks());
  program.turns = 9500;  // 2,000 + 18,000 hits: 2 %
  program.live(governor);
  EXPECT_TRUE(spawns());
  EXPECT_FALSE(parks());
  EXPECT_EQ(governor.trips(), 1U);
  EXPECT_NE(governor.why_not(Group::park_unpark).find("cost 2.00 %"), std::string::npos)
      << governor.why_not(Group::park_unpark);
}

TEST_F(GovernorTest, BetweenInAndOutThereIsRoom) {
  program.turns = 4500;  // 0.9 %
  program.live(governor, 10);
  EXPECT_FALSE(parks()) << "it would not fit with room";
  program.turns = 3000;
  program.live(governor);
  EXPECT_TRUE(parks());
  program.turns = 4500;
  program.live(governor, 10);
  EXPECT_TRUE(parks()) << "it is not over the budget";
}

TEST_F(GovernorTest, HoldsBackLongerEachTime) {
  program.turns = 1000;
  program.live(governor, 2);
  ASSERT_TRUE(parks());
  for (const int hold : {30, 60, 120}) {
    program.turns = 100'000;
    program.live(governor);
    ASSERT_FALSE(parks());
    program.turns = 1000;
    program.live(governor, hold - 1);
    EXPECT_FALSE(parks()) << hold;
    program.live(governor, 3);
    EXPECT_TRUE(parks()) << hold;
  }
  EXPECT_EQ(governor.trips(), 3U);
  // What has gone well for long is forgiven.
  program.live(governor, 600);
  program.turns = 100'000;
  program.live(governor);
  program.turns = 1000;
  program.live(governor, 32);
  EXPECT_TRUE(parks());
}

TEST_F(GovernorTest, AfterATripItMustFitSeveralTimes) {
  program.turns = 1000;
  program.live(governor, 2);
  program.turns = 100'000;
  program.live(governor, 31);  // the hold is over
  for (int i = 0; i < 5; ++i) {
    program.turns = 1000;
    program.live(governor, 2);
    program.turns = 100'000;
    program.live(governor);
    EXPECT_FALSE(parks());
  }
  EXPECT_EQ(governor.trips(), 1U);
}

TEST_F(GovernorTest, AStormEndsItAtOnce) {
  program.spawns = program.turns = 100;
  program.live(governor, 3);
  ASSERT_TRUE(spawns());
  ASSERT_TRUE(parks());
  governor.storm(Group::park_unpark, program.now.at);
  EXPECT_TRUE(spawns());
  EXPECT_FALSE(parks());
  governor.storm(Group::park_unpark, program.now.at);  // told by another CPU
  EXPECT_EQ(governor.trips(), 1U);
  program.live(governor, 40);
  ASSERT_TRUE(parks());
  governor.storm(Group::spawn_exit, program.now.at);
  EXPECT_FALSE(spawns());
  EXPECT_FALSE(parks());
}

TEST_F(GovernorTest, AStormIsFarAboveTheBudget) {
  EXPECT_EQ(governor.storm_hits(), 5000U);  // 5 ms
  program.cores = 4;
  program.live(governor, 2);
  EXPECT_NEAR(governor.storm_hits(), 4 * 0.04 * 0.067 / kHit, 100);
}

TEST_F(GovernorTest, WithoutCountersNothingIsGuessed) {
  program.counts = false;
  program.live(governor, 10);
  EXPECT_FALSE(spawns());
  EXPECT_NE(governor.why_not(Group::spawn_exit).find("can't be read"), std::string::npos);
  EXPECT_FALSE(governor.overhead().predicted);
}

TEST_F(GovernorTest, ACounterThatGoesBackTellsNothing) {
  program.spawns = program.turns = 100;
  program.live(governor);
  Reading back = program.now;
  back.at += seconds(1);
  back.counted_at = back.at;
  back.spawned = *back.spawned - 5;
  governor.read(back);
  EXPECT_FALSE(governor.overhead().predicted);
  EXPECT_FALSE(spawns());
}

TEST_F(GovernorTest, SaysAtEachMomentWhyAGroupIsNotThere) {
  const auto says = [&](const char* text) {
    return governor.why_not(Group::park_unpark).find(text) != std::string::npos;
  };
  program.turns = 1000;
  program.live(governor, 2);
  program.turns = 100'000;
  program.live(governor);
  EXPECT_TRUE(says("its probes cost 20 %")) << governor.why_not(Group::park_unpark);
  program.turns = 1000;
  program.live(governor, 10);
  EXPECT_TRUE(says("its probes cost 20 %")) << governor.why_not(Group::park_unpark);
  program.live(governor, 20);
  EXPECT_TRUE(says("fitted the budget again for 1 of 3 looks")) << governor.why_not(Group::park_unpark);
  program.live(governor, 2);
  EXPECT_TRUE(parks());
  EXPECT_EQ(governor.why_not(Group::park_unpark), "");
  program.spawns = 1e6;
  program.turns = 1e6;
  program.live(governor, 2);
  EXPECT_TRUE(says("spawn and exit do not fit")) << governor.why_not(Group::park_unpark);
}

TEST_F(GovernorTest, PerfEventsAreUsedSparingly) {
  Governor sparing(budget, Handling::sparing, kHit);
  program.spawns = program.turns = 1000;  // 0.2 %: it would fit
  program.live(sparing, 5);
  EXPECT_FALSE(sparing.wants(Group::spawn_exit)) << "no wide margin";
  program.spawns = program.turns = 100;
  program.live(sparing, 2);
  EXPECT_TRUE(sparing.wants(Group::spawn_exit));
  EXPECT_FALSE(sparing.wants(Group::park_unpark));
  program.spawns = program.turns = 100'000;
  program.live(sparing, 2);
  EXPECT_FALSE(sparing.wants(Group::spawn_exit));
  program.spawns = program.turns = 1;
  program.live(sparing, 3600);
  EXPECT_FALSE(sparing.wants(Group::spawn_exit)) << "they come off once";
}

TEST_F(GovernorTest, PanicsAreProbedUntilTheyCostMoreThanTheirPart) {
  program.live(governor);
  EXPECT_FALSE(governor.wants(Group::panics));
  program.panics = 400;  // 800 hits, each for three: 0.24 %
  program.live(governor, 3);
  EXPECT_TRUE(governor.wants(Group::panics));
  EXPECT_NEAR(governor.overhead().ratio(governor.overhead().measured), 0.0024, 1e-9);
  program.panics = 500;
  program.live(governor);
  EXPECT_FALSE(governor.wants(Group::panics));
  EXPECT_NE(governor.why_not(Group::panics).find("their part of the budget is 0.25 %"), std::string::npos)
      << governor.why_not(Group::panics);
  EXPECT_TRUE(spawns());
  EXPECT_EQ(governor.trips(), 1U);
  program.panics = 0;
  program.live(governor, 31);
  EXPECT_TRUE(governor.wants(Group::panics));
}

TEST_F(GovernorTest, AStormOfPanicsTakesNobodyElseAway) {
  program.spawns = 1000;
  program.turns = 2500;
  program.live(governor, 2);
  ASSERT_TRUE(spawns() && parks() && governor.wants(Group::panics));
  program.now.panic_hits += 1'000'000;
  governor.storm(Group::panics, program.now.at + milliseconds(100));
  program.live(governor);
  EXPECT_FALSE(governor.wants(Group::panics));
  EXPECT_TRUE(spawns());
  EXPECT_TRUE(parks());
  EXPECT_NE(governor.why_not(Group::panics).find("in a storm"), std::string::npos);
  EXPECT_LT(governor.panic_storm_hits(), governor.storm_hits());
}

TEST_F(GovernorTest, PanicsCountTowardsTheBudgetOfAll) {
  program.spawns = 1000;
  program.turns = 2500;  // 0.6 %
  program.panics = 330;  // 0.2 %
  program.live(governor, 10);
  EXPECT_TRUE(parks());
  program.turns = 3900;  // 0.88 %
  program.live(governor);
  EXPECT_FALSE(parks());
  EXPECT_TRUE(spawns());
  EXPECT_TRUE(governor.wants(Group::panics));
}

}  // namespace
}  // namespace goleakd::probe
