// SPDX-License-Identifier: Apache-2.0
// How a leak comes, lasts and goes.
#include <gtest/gtest.h>

#include <string>

#include "program_fixture.h"

namespace goleakd::verdict {
namespace {

using Life = Program;
INSTANTIATE_TEST_SUITE_P(Windows, Life, windows());

TEST_P(Life, AResolvedLeakIsKeptForAWhile) {
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

TEST_P(Life, ALeakWithMoreThanHalfOfItsPeakIsNotResolved) {
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

TEST_P(Life, ALeakThatPausesIsStillLeaking) {
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

TEST_P(Life, AResolvedLeakThatComesBackIsTheSame) {
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

TEST_P(Life, ASuspectThatIsNotConfirmedIsDropped) {
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

TEST_P(Life, WhatComesAndGoesNeverLeaks) {
  expect_silence(60, [&, looks = 0]() mutable {
    leak();
    if (++looks % 18 == 0) stop_all();  // six intervals of growth, then all are done
  });
}

TEST_P(Life, WorstComesFirst) {
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

TEST_P(Life, ChecksSayWhenTheyRan) {
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

TEST_P(Life, ASnapshotThatIsALittleEarlyIsEvaluated) {
  look();
  const Instant first = now;
  engine.observe(ledger, facts, first + interval * 9 / 10);
  EXPECT_EQ(engine.last_run(Evidence::forever), first);
  engine.observe(ledger, facts, first + interval * 97 / 100);
  EXPECT_EQ(engine.last_run(Evidence::forever), first + interval * 97 / 100);
}

}  // namespace
}  // namespace goleakd::verdict
