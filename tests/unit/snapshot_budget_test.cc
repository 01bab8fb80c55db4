// SPDX-License-Identifier: Apache-2.0
#include "daemon/snapshot_budget.h"

#include <gtest/gtest.h>

#include <map>

namespace goleakd::daemon {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Instant kStart{};

// Share of a core that the targets take together when each snapshot comes as soon as it may.
double share(const SnapshotBudget& budget, const std::map<int, Duration>& costs) {
  double sum = 0;
  for (const auto& [pid, cost] : costs) {
    sum += static_cast<double>(cost.count()) / static_cast<double>(budget.interval(pid).count());
  }
  return sum;
}

TEST(SnapshotBudget, LetsEverybodyHaveTheirWayBelowTheCeiling) {
  SnapshotBudget budget(0.01);
  EXPECT_TRUE(budget.allows(7, kStart));  // never seen
  for (int pid = 1; pid <= 9; ++pid) budget.spent(pid, milliseconds(10), seconds(10), false, kStart);
  EXPECT_EQ(budget.interval(5), seconds(10));
  EXPECT_FALSE(budget.allows(5, kStart + milliseconds(9'999)));
  EXPECT_TRUE(budget.allows(5, kStart + seconds(10)));
}

TEST(SnapshotBudget, StretchesEqualsEqually) {
  SnapshotBudget budget(0.01);
  std::map<int, Duration> costs;
  for (int pid = 1; pid <= 20; ++pid) {
    costs[pid] = milliseconds(20);
    budget.spent(pid, costs[pid], seconds(10), false, kStart);
  }
  for (int pid = 1; pid <= 20; ++pid)
    EXPECT_NEAR(static_cast<double>(budget.interval(pid) / milliseconds(1)), 40'000, 2);
  EXPECT_NEAR(share(budget, costs), 0.01, 1e-6);
}

TEST(SnapshotBudget, TakesFromTheDearAndNotFromTheCheap) {
  SnapshotBudget budget(0.01);
  std::map<int, Duration> costs{{1, milliseconds(500)}, {2, milliseconds(1)}, {3, milliseconds(1)}};
  for (const auto& [pid, cost] : costs) budget.spent(pid, cost, seconds(10), false, kStart);
  EXPECT_EQ(budget.interval(2), seconds(10));
  EXPECT_EQ(budget.interval(3), seconds(10));
  EXPECT_GT(budget.interval(1), seconds(50));
  EXPECT_LT(budget.interval(1), seconds(52));
  EXPECT_NEAR(share(budget, costs), 0.01, 1e-6);
}

TEST(SnapshotBudget, LooksCloserAtSuspects) {
  SnapshotBudget budget(0.01);
  const std::map<int, Duration> costs{{1, milliseconds(100)}, {2, milliseconds(100)}};
  budget.spent(1, costs.at(1), seconds(2), true, kStart);
  budget.spent(2, costs.at(2), seconds(2), false, kStart);
  EXPECT_NEAR(static_cast<double>(budget.interval(1) / milliseconds(1)), 12'500, 2);
  EXPECT_NEAR(static_cast<double>(budget.interval(2) / milliseconds(1)), 50'000, 2);
  EXPECT_NEAR(share(budget, costs), 0.01, 1e-6);
}

TEST(SnapshotBudget, GivesBackWhatTheGoneHaveHad) {
  SnapshotBudget budget(0.01);
  budget.spent(1, milliseconds(100), seconds(10), false, kStart);
  budget.spent(2, milliseconds(100), seconds(10), false, kStart);
  EXPECT_GT(budget.interval(1), seconds(19));
  budget.forget(2);
  budget.spent(1, milliseconds(100), seconds(10), false, kStart);
  EXPECT_EQ(budget.interval(1), seconds(10));
  EXPECT_TRUE(budget.allows(2, kStart));
}

TEST(SnapshotBudget, AnotherCeilingCountsAtOnce) {
  SnapshotBudget budget(0.01);
  const std::map<int, Duration> costs{{1, milliseconds(500)}};
  budget.spent(1, costs.at(1), seconds(10), false, kStart);
  EXPECT_NEAR(share(budget, costs), 0.01, 1e-4);
  budget.change(0.05);
  EXPECT_EQ(budget.interval(1), seconds(10));
  budget.change(0.001);
  EXPECT_NEAR(share(budget, costs), 0.001, 1e-5);
}

TEST(SnapshotBudget, BearsCostsAndWishesOfZero) {
  SnapshotBudget budget(0.01);
  budget.spent(1, Duration::zero(), Duration::zero(), true, kStart);
  budget.spent(2, seconds(1), seconds(10), false, kStart);
  EXPECT_TRUE(budget.allows(1, kStart + seconds(1)));
  EXPECT_GT(budget.interval(2), seconds(10));
}

}  // namespace
}  // namespace goleakd::daemon
