// SPDX-License-Identifier: Apache-2.0
// Other thresholds, while the process is watched.
#include <gtest/gtest.h>

#include "program_fixture.h"

namespace goleakd::verdict {
namespace {

using Change = Program;
INSTANTIATE_TEST_SUITE_P(Windows, Change, windows());

TEST_P(Change, OfTheSamplingLeavesWhatIsFoundAndBeginsTheWindowsAnew) {
  run(15);
  run(14, [&] { leak(); });
  ASSERT_EQ(only().stage, Stage::leaking);
  const Leak before = only();
  Thresholds other = thresholds;
  other.growing_window *= 2;
  other.accumulating_window *= 2;
  engine.change(other);
  run(10, [&] { leak(); });  // half of the new window
  EXPECT_EQ(only().stage, Stage::leaking);
  EXPECT_EQ(only().id, before.id);
  EXPECT_EQ(only().first_seen, before.first_seen);
  EXPECT_GT(only().count, before.count);
  EXPECT_EQ(only().growth_per_hour, 0) << "nobody can say yet";
  run(20, [&] { leak(); });
  EXPECT_GT(only().growth_per_hour, 0);
  EXPECT_EQ(engine.detected(), 1U);
}

TEST_P(Change, OfAnythingElseCountsAtOnce) {
  run(15);
  run(8, [&] { leak(); });
  Thresholds strict = thresholds;
  strict.growing_rises = strict.growing_intervals;
  strict.confirm_windows = 4;
  engine.change(strict);
  run(3, [&] { leak(); });  // by the old ones it would be leaking by now
  ASSERT_LE(engine.leaks().size(), 1U);
  if (!engine.leaks().empty()) {
    EXPECT_EQ(only().stage, Stage::suspect);
  }
  run(10, [&] { leak(); });
  EXPECT_EQ(only().stage, Stage::leaking) << "the window went on";
}

TEST_P(Change, ToWhatItWasChangesNothing) {
  Engine untouched("shop", thresholds);
  const auto both = [&] {
    engine.change(thresholds);
    leak();
  };
  for (int i = 0; i < 60; ++i) {
    both();
    look();
    untouched.observe(ledger, facts, now);
  }
  ASSERT_EQ(engine.leaks().size(), untouched.leaks().size());
  ASSERT_EQ(engine.leaks().size(), 1U);
  EXPECT_EQ(engine.leaks()[0].reasoning, untouched.leaks()[0].reasoning);
  EXPECT_EQ(engine.leaks()[0].stage, untouched.leaks()[0].stage);
}

}  // namespace
}  // namespace goleakd::verdict
