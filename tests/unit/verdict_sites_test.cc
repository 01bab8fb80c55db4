// SPDX-License-Identifier: Apache-2.0
// Programs whose goroutines never end though they run or wake, slow leaks, and what looks like them and is healthy.
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "program_fixture.h"

namespace goleakd::verdict {
namespace {

using ledger::RunState;

class Sites : public Program {
 protected:
  // Intervals of the quick window in one of the slow.
  int stride() const { return static_cast<int>(thresholds.accumulating_window / thresholds.growing_window); }
  int slow() const { return stride() * thresholds.growing_intervals; }
};
INSTANTIATE_TEST_SUITE_P(Windows, Sites, windows());

TEST_P(Sites, TickersThatAreNeverStoppedAccumulate) {
  const Instant begin = now;
  Instant found;
  int looks = 0;
  run(slow() + 10, [&] {
    wake_all();
    if (++looks % 3 == 0) start(++last_goid, "main.watch", "main.poll", WaitClass::select);
    if (found == Instant{} && engine.detected() == 1) found = now;
  });
  ASSERT_NE(found, Instant{});
  // 35 minutes by default.
  EXPECT_LE(found - begin, thresholds.accumulating_window + 10 * interval);
  EXPECT_EQ(only().evidence, Evidence::accumulating);
  EXPECT_EQ(only().cause, Cause::loop_without_exit);
  EXPECT_EQ(only().severity, Severity::ticket);
  EXPECT_EQ(only().creation.function, "main.watch");
  EXPECT_EQ(only().blocked.function, "main.poll");
  EXPECT_EQ(only().count, goroutines.size() - 1);
  EXPECT_EQ(only().goroutines, (std::vector<Goid>{101, 102, 103, 104, 105}));
  EXPECT_NE(only().reasoning.find("rose in 10 of 10 intervals"), std::string::npos) << only().reasoning;
  EXPECT_NE(only().reasoning.find("lived on, though they wake"), std::string::npos) << only().reasoning;
  EXPECT_TRUE(engine.last_run(Evidence::accumulating).has_value());
}

TEST_P(Sites, OneThatIsSeenInTwoPlacesKeepsItsName) {
  int looks = 0;
  std::string id;
  run(slow() + 40, [&] {
    wake_all();
    ++looks;
    if (looks % 3 == 0) start(++last_goid, "main.watch", "main.poll", WaitClass::select);
    for (auto& [goid, state] : goroutines) {
      if (goid != kMain) start(goid, "main.watch", looks % 2 == 0 ? "main.poll" : "main.fetch", WaitClass::select);
    }
    if (engine.leaks().empty()) return;
    if (id.empty()) id = engine.leaks()[0].id;
    ASSERT_EQ(engine.leaks().size(), 1U);
    ASSERT_EQ(engine.leaks()[0].id, id);
  });
  EXPECT_EQ(only().stage, Stage::leaking);
  EXPECT_EQ(engine.detected(), 1U);
}

TEST_P(Sites, RequestsThatEndUnderGrowingLoadAreSilent) {
  std::deque<Goid> open;
  int looks = 0;
  expect_silence(slow() * 2, [&] {
    wake_all();
    ++looks;
    // Each lives for four looks, and there are more and more.
    for (int i = 0; i < 1 + looks / 12; ++i) {
      start(++last_goid, "main.serve", "main.handle", WaitClass::select);
      open.push_back(last_goid);
    }
    while (static_cast<int>(open.size()) > 4 * (1 + looks / 12)) {
      stop(open.front());
      open.pop_front();
    }
  });
}

TEST_P(Sites, WorkersUpToACeilingAreSilent) {
  int looks = 0;
  expect_silence(slow() * 2, [&] {
    wake_all();
    // Full after the first two thirds of a slow window.
    if (++looks <= 2 * slow()) {
      if (looks % 3 == 0) start(++last_goid, "main.pool", "main.work", WaitClass::chan_receive, true);
    }
  });
}

TEST_P(Sites, ConnectionsInUseAreInformation) {
  int looks = 0;
  run(slow() + 20, [&] {
    wake_all();
    if (++looks % 3 != 0) return;
    start(++last_goid, "main.accept", "main.read", WaitClass::io);
    start(++last_goid, "main.attend", "main.write", WaitClass::select);
  });
  ASSERT_EQ(engine.leaks().size(), 2U);
  for (const Leak& leak : engine.leaks()) EXPECT_EQ(leak.severity, Severity::info) << leak.reasoning;
}

TEST_P(Sites, IdleConnectionsAreInformation) {
  run(thresholds.growing_intervals * 3, [&] {
    start(++last_goid, "main.accept", "main.read", WaitClass::io);
    start(++last_goid, "main.attend", "main.write", WaitClass::select);
  });
  ASSERT_EQ(engine.leaks().size(), 2U);
  for (const Leak& leak : engine.leaks()) {
    EXPECT_EQ(leak.evidence, Evidence::growing);
    EXPECT_EQ(leak.severity, Severity::info) << leak.reasoning;
  }
}

// Where processors are scarce, most readers may wait for one of them when they are looked at.
TEST_P(Sites, ReadersThatWaitForAProcessorHaveConnectionsToo) {
  std::vector<Goid> readers;
  int looks = 0;
  run(thresholds.growing_intervals * 3, [&] {
    readers.push_back(start(++last_goid, "main.accept", "main.read", WaitClass::io).goid);
    start(++last_goid, "main.attend", "main.write", WaitClass::select);
    const bool starved = ++looks > thresholds.growing_intervals;
    for (const Goid reader : readers) {
      start(reader, "main.accept", "main.read", WaitClass::io);
      if (starved && reader % 3 == 0) spin(reader, "main.accept");
    }
  });
  for (const Leak& leak : engine.leaks()) EXPECT_EQ(leak.severity, Severity::info) << leak.reasoning;
  EXPECT_FALSE(engine.leaks().empty());
}

// As nats-server's: its writers wait by a condition for something to write.
TEST_P(Sites, WritersOfConnectionsMayWaitByACondition) {
  run(thresholds.growing_intervals * 3, [&] {
    start(++last_goid, "main.startGoRoutine", "main.(*client).readLoop", WaitClass::io);
    start(++last_goid, "main.startGoRoutine", "main.(*client).writeLoop", WaitClass::cond);
  });
  ASSERT_EQ(engine.leaks().size(), 2U);
  for (const Leak& leak : engine.leaks()) EXPECT_EQ(leak.severity, Severity::info) << leak.reasoning;
}

TEST_P(Sites, WhoWaitsByAConditionWithoutAConnectionLeaks) {
  run(thresholds.growing_intervals * 3, [&] { start(++last_goid, "main.start", "main.await", WaitClass::cond); });
  EXPECT_EQ(only().severity, Severity::ticket);
}

// A proxy whose visitors stay, for streams of events: each has a connection of http.Transport in use.
TEST_P(Sites, ConnectionsThatProxiedRequestsUseAreInformation) {
  run(thresholds.growing_intervals * 3, [&] {
    start(++last_goid, "net/http.(*connReader).startBackgroundRead", "net/http.(*connReader).backgroundRead",
          WaitClass::io);
    start(++last_goid, "net/http.(*Server).Serve", "net.(*netFD).Read", WaitClass::io);
    start(++last_goid, "net/http.(*Transport).dialConn", "net/http.(*persistConn).readLoop", WaitClass::select);
    start(++last_goid, "net/http.(*Transport).dialConn", "net/http.(*persistConn).writeLoop", WaitClass::select);
  });
  ASSERT_EQ(engine.leaks().size(), 4U);
  for (const Leak& leak : engine.leaks()) EXPECT_EQ(leak.severity, Severity::info) << leak.reasoning;
}

// The request for which they were asked is over, and the connections wait for another.
TEST_P(Sites, BodiesThatRequestsLeaveBehindLeak) {
  run(thresholds.growing_intervals * 3, [&] {
    start(++last_goid, "net/http.(*Server).Serve", "net.(*netFD).Read", WaitClass::io);
    start(++last_goid, "net/http.(*Transport).dialConn", "net/http.(*persistConn).readLoop", WaitClass::select);
  });
  ASSERT_EQ(engine.leaks().size(), 2U);
  EXPECT_EQ(engine.leaks()[0].cause, Cause::http_body_not_closed);
  EXPECT_EQ(engine.leaks()[0].severity, Severity::ticket);
}

// A handler that is stuck keeps its connection open.
TEST_P(Sites, ConnectionsDoNotExcuseThoseWhoWaitToSend) {
  run(thresholds.growing_intervals * 3, [&] {
    start(++last_goid, "main.accept", "main.read", WaitClass::io);
    start(++last_goid, "net/http.(*Server).Serve", "main.handle", WaitClass::chan_send);
  });
  ASSERT_EQ(engine.leaks().size(), 2U);
  EXPECT_EQ(engine.leaks()[0].blocked.function, "main.handle");
  EXPECT_EQ(engine.leaks()[0].severity, Severity::ticket);
}

TEST_P(Sites, TheSecondReaderOfAServedConnectionIsNoConnection) {
  run(thresholds.growing_intervals * 3, [&] {
    start(++last_goid, "net/http.(*connReader).startBackgroundRead", "net/http.(*connReader).backgroundRead",
          WaitClass::io);
    start(++last_goid, "net/http.(*Server).Serve", "main.handle", WaitClass::select);
  });
  ASSERT_EQ(engine.leaks().size(), 2U);
  EXPECT_EQ(engine.leaks()[0].blocked.function, "main.handle");
  EXPECT_EQ(engine.leaks()[0].severity, Severity::ticket);
}

TEST_P(Sites, LoopsThatNeverWaitSpin) {
  const Instant begin = now;
  Instant found;
  run(thresholds.growing_intervals * 2, [&] {
    spin(++last_goid, "main.start");
    if (found == Instant{} && engine.detected() == 1) found = now;
  });
  ASSERT_NE(found, Instant{});
  EXPECT_LE(found - begin, 12 * interval);
  EXPECT_EQ(only().evidence, Evidence::spinning);
  EXPECT_EQ(only().cause, Cause::loop_without_exit);
  EXPECT_EQ(only().severity, Severity::ticket);
  EXPECT_EQ(only().blocked.function, "main.start") << "what it runs, where no look has caught it waiting";
  EXPECT_EQ(only().count, goroutines.size() - 1);
  EXPECT_NE(only().reasoning.find("in 100 % of all looks they ran"), std::string::npos) << only().reasoning;
}

TEST_P(Sites, WorkersThatComputeAndFinishAreSilent) {
  std::deque<Goid> busy;
  int looks = 0;
  expect_silence(slow(), [&] {
    ++looks;
    spin(++last_goid, "main.start");
    busy.push_back(last_goid);
    // A backlog: each takes longer and longer, but all finish.
    if (looks % 4 != 0) {
      stop(busy.front());
      busy.pop_front();
    }
  });
}

TEST_P(Sites, SpinningThatEndsIsResolved) {
  run(thresholds.growing_intervals * 2, [&] { spin(++last_goid, "main.start"); });
  EXPECT_EQ(only().stage, Stage::leaking);
  stop_all();
  run(3);
  EXPECT_EQ(only().stage, Stage::resolved);
  EXPECT_EQ(only().count, 0U);
}

// One a minute by default: too few for the quick window to see it in most of its intervals.
TEST_P(Sites, ASlowLeakIsFound) {
  const Instant begin = now;
  Instant found;
  int looks = 0;
  run(slow() * 2, [&] {
    if (++looks % 6 == 0) leak();
    if (found == Instant{} && engine.detected() == 1) found = now;
  });
  ASSERT_NE(found, Instant{});
  EXPECT_LE(found - begin, 2 * thresholds.accumulating_window);  // "within 2 hours"
  EXPECT_EQ(only().evidence, Evidence::growing);
  EXPECT_EQ(only().severity, Severity::ticket);
  EXPECT_EQ(only().cause, Cause::unknown);
}

TEST_P(Sites, WhereTheyAreStuckIsSaidRatherThanThatTheyPileUp) {
  int looks = 0;
  run(slow() * 2, [&] {
    if (++looks % 3 == 0) leak();
  });
  EXPECT_EQ(only().evidence, Evidence::growing);
  EXPECT_EQ(engine.detected(), 1U);
}

}  // namespace
}  // namespace goleakd::verdict
