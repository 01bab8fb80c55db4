// SPDX-License-Identifier: Apache-2.0
// Waits that nothing can end, and waits that have lasted long.
#include <gtest/gtest.h>

#include "program_fixture.h"

namespace goleakd::verdict {
namespace {

using Forever = Program;
INSTANTIATE_TEST_SUITE_P(Windows, Forever, windows());

TEST_P(Forever, MainInSelectIsSilent) {
  start(kMain, "runtime.main", "main.main", WaitClass::select_no_cases);
  expect_silence(40);
}

TEST_P(Forever, OthersInSelectAreInformation) {
  leak(1, WaitClass::select_no_cases);
  look();
  EXPECT_EQ(only().stage, Stage::leaking) << "nothing is left to confirm";
  EXPECT_EQ(only().evidence, Evidence::forever);
  EXPECT_EQ(only().severity, Severity::info);
  EXPECT_EQ(only().cause, Cause::select_no_cases);
  EXPECT_EQ(only().count, 1U);
  EXPECT_EQ(engine.detected(), 1U);
}

TEST_P(Forever, NilChannelsThatGrowAreATicket) {
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

TEST_P(Forever, WhatCanNeverWakeIsNotResolvedWhileAnyIsLeft) {
  leak(10, WaitClass::chan_send_nil);
  run(4);
  for (Goid goid = 101; goid <= 107; ++goid) stop(goid);
  run(6);
  EXPECT_EQ(only().stage, Stage::leaking);
  EXPECT_EQ(only().count, 3U);
  EXPECT_EQ(engine.detected(), 1U);  // it has not come and gone in between
}

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

TEST_P(Stale, WhoIsStuckSinceBeforeItsParentEndedIsSaidToBeLeftBehind) {
  const Goid parent = ++last_goid;
  start(parent, "main.serve", "main.request", WaitClass::io);
  for (int i = 0; i < 3; ++i)
    start(++last_goid, "main.request", "main.request.func1", WaitClass::chan_receive).parent = parent;
  run(2);
  stop(parent);
  start(++last_goid, "main.request", "main.request.func1", WaitClass::chan_receive).parent = parent;
  wait_long();
  EXPECT_EQ(only().count, 4U);
  EXPECT_EQ(only().orphans, 4U);
  EXPECT_EQ(only().left_behind, 3U);
}

TEST_P(Stale, AnIdleWorkerWithoutItsParentIsNot) {
  start(++last_goid, "main.request", "main.request.func1", WaitClass::select).parent = 77;
  start(++last_goid, "main.pool", "main.worker", WaitClass::chan_receive, true).parent = 77;
  wait_long();
  ASSERT_EQ(engine.leaks().size(), 2U);
  EXPECT_EQ(engine.leaks()[0].orphans, 1U);
}

}  // namespace
}  // namespace goleakd::verdict
