// SPDX-License-Identifier: Apache-2.0
// Programs that grow, healthy and leaking.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "program_fixture.h"

namespace goleakd::verdict {
namespace {

using Growing = Program;
INSTANTIATE_TEST_SUITE_P(Windows, Growing, windows());

TEST_P(Growing, ALeakIsFoundInTime) {
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

TEST_P(Growing, ALeakIsASuspectFirst) {
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

TEST_P(Growing, APathThatLeaksOneInTenOfABusySiteIsFound) {
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

TEST_P(Growing, ABusySiteIsSilent) {
  std::vector<Goid> busy;
  int looks = 0;
  expect_silence(40, [&] {
    for (const Goid goid : busy) stop(goid);
    busy.clear();
    for (int i = 0; i < 10 + looks * 5; ++i) busy.push_back(leak());  // ever more load
    ++looks;
  });
}

TEST_P(Growing, SlowRequestsUnderGrowingLoadAreSilent) {
  // Each takes an interval and a half: many are aged, none survives.
  std::map<int, std::vector<Goid>> by_look;
  int looks = 0;
  expect_silence(40, [&] {
    for (const Goid goid : by_look[looks - 5]) stop(goid);
    for (int i = 0; i < 5 + looks; ++i) by_look[looks].push_back(leak());
    ++looks;
  });
}

TEST_P(Growing, ABurstIsSilent) {
  expect_silence(15);
  leak(1000);
  expect_silence(4);
  stop_all();
  expect_silence(15);
}

TEST_P(Growing, ABurstThatStaysIsNotGrowth) {
  expect_silence(15);
  leak(1000);
  expect_silence(30);
}

TEST_P(Growing, WarmingUpIsSilent) {
  facts.started = now;
  const auto quiet = static_cast<int>(thresholds.quiet_after_start / interval);
  expect_silence(quiet, [&] { leak(5); });
  expect_silence(20);
}

TEST_P(Growing, GrowthFromTheStartIsJudgedAfterTheQuietTime) {
  facts.started = now;
  const auto quiet = static_cast<int>(thresholds.quiet_after_start / interval);
  expect_silence(quiet + thresholds.growing_intervals, [&] { leak(); });
  EXPECT_FALSE(engine.last_run(Evidence::growing).has_value());  // silence did not mean "checked"
  run(3, [&] { leak(); });
  EXPECT_TRUE(engine.last_run(Evidence::growing).has_value());
  EXPECT_EQ(only().stage, Stage::leaking);
}

TEST_P(Growing, APoolThatFillsWithinTheWindowIsSilent) {
  expect_silence(15);
  int workers = 0;
  expect_silence(30, [&] {
    if (workers++ < 18) start(++last_goid, "main.pool", "main.worker", WaitClass::chan_receive, true);
  });
}

TEST_P(Growing, APoolThatFillsSlowlyIsTakenDownToInformationWhenItIsFull) {
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

TEST_P(Growing, AWorkingPoolIsSilent) {
  for (int i = 0; i < 10; ++i) start(++last_goid, "main.pool", "main.worker", WaitClass::chan_receive, true);
  Goid next = 101;
  expect_silence(40, [&] {
    wake(next);
    next = next == last_goid ? 101 : next + 1;
    if (next == 105) start(++last_goid, "main.pool", "main.worker", WaitClass::chan_receive, true);
  });
}

TEST_P(Growing, APoolThatGetsLessToDoIsSilent) {
  // Its goroutines fall idle one after the other, but their number does not rise.
  leak(60);
  Goid idle = 101;
  expect_silence(19, [&] {
    for (Goid goid = idle; goid <= last_goid; ++goid) wake(goid);
    ++idle;
  });
}

TEST_P(Growing, TickersAreSilent) {
  expect_silence(40, [&] {
    leak(1, WaitClass::sleep);
    for (Goid goid = 101; goid <= last_goid; ++goid) wake(goid);
  });
}

TEST_P(Growing, IdleConnectionsAreInformation) {
  run(15);
  run(15, [&] { leak(1, WaitClass::io); });
  EXPECT_EQ(only().stage, Stage::leaking);
  EXPECT_EQ(only().severity, Severity::info);
  EXPECT_EQ(only().cause, Cause::io_wait);
}

TEST_P(Growing, GrowthThatWillFillTheMemoryInADayPages) {
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

}  // namespace
}  // namespace goleakd::verdict
