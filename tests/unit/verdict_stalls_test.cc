// SPDX-License-Identifier: Apache-2.0
// Pools that have stopped while work waits for them, and pools that only look so.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "program_fixture.h"

namespace goleakd::verdict {
namespace {

constexpr std::uint64_t kQueue = 0xc000010000;
constexpr std::uint64_t kOther = 0xc000020000;  // what workers wait for when they do not wait for work
constexpr std::size_t kWorkers = 4;

// A program whose workers range over a queue of eight. Each look at its goroutines comes with one at the channels that
// goleakd asks for.
class Stalled : public Program {
 protected:
  Stalled() {
    channels[kQueue] = channel(kQueue, 0, 8);
    channels[kOther] = channel(kOther, 0, 0);
    for (std::size_t i = 0; i < kWorkers; ++i) workers.push_back(++last_goid);
    all_wait_for_work();
  }

  static ChannelLook channel(std::uint64_t address, std::uint64_t length, std::uint64_t capacity,
                             const std::string& element = "main.job") {
    ChannelLook look;
    look.address = address;
    look.length = length;
    look.capacity = capacity;
    look.element = element;
    return look;
  }

  void wait(Goid worker, const std::string& function, WaitClass how, std::uint64_t object, bool in_loop = false) {
    start(worker, "main.pool", function, how, in_loop).object.address = object;
  }
  void all_wait_for_work() {
    for (const Goid worker : workers) wait(worker, "main.worker", WaitClass::chan_receive, kQueue, true);
  }
  void all_wait_in(WaitClass how, std::uint64_t object = kOther) {
    for (const Goid worker : workers) wait(worker, "main.confirm", how, object);
  }
  void fill() { channels[kQueue].length = channels[kQueue].capacity; }
  void take_one() { channels[kQueue].receive_index = (channels[kQueue].receive_index + 1) % channels[kQueue].capacity; }

  void look() {
    Program::look();
    std::vector<ChannelLook> looks;
    for (const std::uint64_t address : engine.stalls().channels()) {
      if (const auto known = channels.find(address); known != channels.end()) looks.push_back(known->second);
    }
    engine.stalls().looked(looks, now);
    for (const Goid goid : engine.stalls().unclear(32)) {
      if (const auto select = selects.find(goid); select != selects.end())
        engine.stalls().selects(goid, select->second);
    }
  }
  void run(
      int looks, const std::function<void()>& each = [] {}) {
    for (int i = 0; i < looks; ++i) {
      each();
      look();
    }
  }
  // For as long as makes a stall, and until it is confirmed.
  int long_enough() const {
    return static_cast<int>(3 * thresholds.stuck_after / interval) + 3 * (thresholds.confirm_windows + 2);
  }
  void expect_silence(const std::function<void()>& each = [] {}) {
    run(3 * long_enough(), [&] {
      each();
      ASSERT_TRUE(engine.leaks().empty())
          << to_string(engine.leaks()[0].evidence) << ": " << engine.leaks()[0].reasoning;
    });
    EXPECT_EQ(engine.detected(), 0U);
  }

  std::map<std::uint64_t, ChannelLook> channels;
  std::map<Goid, std::vector<ChannelLook>> selects;  // what each goroutine's select receives from
  std::vector<Goid> workers;
};
INSTANTIATE_TEST_SUITE_P(Windows, Stalled, windows());

TEST_P(Stalled, WorkersThatWaitElsewhereWhileTheQueueIsFull) {
  run(6);
  fill();
  all_wait_in(WaitClass::chan_receive);
  const Instant stuck = now;
  Instant found;
  run(long_enough(), [&] {
    if (found == Instant{} && engine.detected() == 1) found = now;
  });
  ASSERT_NE(found, Instant{});
  EXPECT_GE(found - stuck, thresholds.stuck_after);
  const Leak& leak = only();
  EXPECT_EQ(leak.evidence, Evidence::stalled);
  EXPECT_EQ(leak.stage, Stage::leaking);
  EXPECT_EQ(leak.severity, Severity::ticket);
  EXPECT_EQ(leak.cause, Cause::receive_never_satisfied);
  EXPECT_EQ(leak.blocked.function, "main.confirm");
  EXPECT_EQ(leak.count, kWorkers);
  EXPECT_TRUE(leak.reasoning.starts_with("all 4 started there have been stuck elsewhere than where they receive work"))
      << leak.reasoning;
  EXPECT_TRUE(leak.reasoning.ends_with("; their queue of 8 is full")) << leak.reasoning;
  EXPECT_TRUE(engine.last_run(Evidence::stalled).has_value());
}

TEST_P(Stalled, SendersStuckAtTheQueueAreWorkThatWaits) {
  channels[kQueue].capacity = 0;
  run(6);
  all_wait_in(WaitClass::mutex, 0);
  const Goid client = ++last_goid;
  start(client, "main.client", "main.submit", WaitClass::chan_send).object.address = kQueue;
  run(long_enough());
  EXPECT_EQ(only().evidence, Evidence::stalled);
  EXPECT_EQ(only().creation.function, "main.pool");
  EXPECT_TRUE(only().reasoning.ends_with("; 1 stuck sending to it")) << only().reasoning;
}

TEST_P(Stalled, WorkersThatFillTheirOwnQueue) {
  run(6);
  fill();
  all_wait_in(WaitClass::chan_send, kQueue);
  run(long_enough());
  EXPECT_EQ(only().evidence, Evidence::stalled);
  EXPECT_TRUE(only().reasoning.ends_with("; their queue of 8 is full, and 4 stuck sending to it")) << only().reasoning;
}

TEST_P(Stalled, WhoMayBeWaitingForOthersIsInformation) {
  for (const WaitClass how : {WaitClass::chan_send, WaitClass::io, WaitClass::select}) {
    stop_all();
    all_wait_for_work();
    run(3 * long_enough());  // and what was found before is resolved
    fill();
    all_wait_in(how, how == WaitClass::chan_send ? kOther : 0);
    run(long_enough());
    ASSERT_FALSE(engine.leaks().empty());
    const auto stalled = std::ranges::find(engine.leaks(), how, [](const Leak& leak) { return leak.blocked.wait; });
    ASSERT_NE(stalled, engine.leaks().end());
    EXPECT_EQ(stalled->evidence, Evidence::stalled);
    EXPECT_EQ(stalled->severity, Severity::info);
    channels[kQueue].length = 0;
  }
}

TEST_P(Stalled, IsOverWhenTheyGoOn) {
  run(6);
  fill();
  all_wait_in(WaitClass::chan_receive);
  run(long_enough());
  ASSERT_EQ(only().stage, Stage::leaking);
  all_wait_for_work();
  channels[kQueue].length = 0;
  run(3 * (thresholds.resolve_windows + 1));
  EXPECT_EQ(only().stage, Stage::resolved);
}

TEST_P(Stalled, IsNoAlertAnyMoreWhenTheQueueIsEmpty) {
  run(6);
  fill();
  all_wait_in(WaitClass::chan_receive);
  run(long_enough());
  ASSERT_EQ(only().severity, Severity::ticket);
  channels[kQueue].length = 0;  // the program has thrown the work away
  run(3 * 3);
  EXPECT_EQ(only().stage, Stage::leaking);  // they are still there
  EXPECT_EQ(only().severity, Severity::info);
}

TEST_P(Stalled, AQueueThatIsFullButMovesIsSilent) {
  run(6);
  fill();
  int looks = 0;
  // Each job takes most of the time that makes a stall.
  const int job = static_cast<int>(3 * thresholds.stuck_after / interval) - 1;
  expect_silence([&] {
    if (looks++ % job != 0) return;
    take_one();
    wait(workers[0], "main.confirm", WaitClass::chan_receive, kOther);
    for (std::size_t i = 1; i < kWorkers; ++i) {
      if (looks == 1) wait(workers[i], "main.confirm", WaitClass::chan_receive, kOther);
    }
  });
}

TEST_P(Stalled, AQueueThatOthersEmptyIsSilent) {
  run(6);
  fill();
  all_wait_in(WaitClass::chan_receive);
  expect_silence([&] { take_one(); });
}

TEST_P(Stalled, OneWorkerThatIsFreeIsEnough) {
  run(6);
  fill();
  all_wait_in(WaitClass::chan_receive);
  wait(workers[3], "main.worker", WaitClass::chan_receive, kQueue, true);
  expect_silence();
}

TEST_P(Stalled, OneWorkerThatRunsIsEnough) {
  run(6);
  fill();
  all_wait_in(WaitClass::chan_receive);
  spin(workers[3], "main.pool");
  expect_silence();
}

TEST_P(Stalled, LongWorkThatNobodyWaitsForIsSilent) {
  run(6);
  channels[kQueue].length = 5;
  all_wait_in(WaitClass::io, 0);
  expect_silence();
}

TEST_P(Stalled, IdleWorkersBesideAFullChannelOfAnotherKindAreSilent) {
  // A list of free buffers: taken from now and then, and full when there is no work.
  constexpr std::uint64_t kFree = 0xc000030000;
  channels[kFree] = channel(kFree, 16, 16, "*bytes.Buffer");
  for (const Goid worker : workers) wait(worker, "main.handle", WaitClass::chan_receive, kFree);
  run(6);
  all_wait_for_work();
  expect_silence();
  // Nor where their own receive does not show that it is in a loop.
  all_wait_in(WaitClass::chan_receive);
  expect_silence();
}

TEST_P(Stalled, SleepersAreSilent) {
  run(6);
  fill();
  all_wait_in(WaitClass::sleep, 0);
  expect_silence();
}

TEST_P(Stalled, WhoWaitsForATimerIsSilent) {
  channels[kOther] = channel(kOther, 0, 1, "time.Time");
  run(6);
  fill();
  all_wait_in(WaitClass::chan_receive);
  expect_silence();
}

TEST_P(Stalled, AClosedQueueIsSilent) {
  run(6);
  fill();
  channels[kQueue].closed = true;
  all_wait_in(WaitClass::chan_receive);
  expect_silence();
}

TEST_P(Stalled, AnotherChannelAtTheSameAddressIsSilent) {
  run(6);
  channels[kQueue] = channel(kQueue, 2, 2, "error");
  all_wait_in(WaitClass::chan_receive);
  expect_silence();
}

TEST_P(Stalled, AChannelThatCannotBeReadAnyMoreIsSilent) {
  run(6);
  channels.erase(kQueue);
  all_wait_in(WaitClass::chan_receive);
  expect_silence();
}

TEST_P(Stalled, OneGoroutineIsNoPool) {
  while (workers.size() > 1) {
    stop(workers.back());
    workers.pop_back();
  }
  run(6);
  fill();
  all_wait_in(WaitClass::chan_receive);
  expect_silence();
}

TEST_P(Stalled, APoolThatIsReplacedIsSilent) {
  run(6);
  fill();
  int looks = 0;
  const int life = static_cast<int>(3 * thresholds.stuck_after / interval) - 1;
  expect_silence([&] {
    if (looks++ % life != 0) return;
    stop_all();
    for (Goid& worker : workers) worker = ++last_goid;
    all_wait_in(WaitClass::chan_receive);
  });
}

TEST_P(Stalled, APoolThatLosesWorkersIsNotJudgedUntilItKeepsThem) {
  while (workers.size() < 40) workers.push_back(++last_goid);
  all_wait_for_work();
  run(6);
  fill();
  all_wait_in(WaitClass::chan_receive);
  int looks = 0;
  const int life = static_cast<int>(3 * thresholds.stuck_after / interval) - 1;
  expect_silence([&] {
    if (looks++ % life != 0) return;
    stop(workers.back());
    workers.pop_back();
  });
  run(long_enough());
  EXPECT_EQ(only().evidence, Evidence::stalled);
}

TEST_P(Stalled, AnotherSiteThatReceivesFromTheQueueIsEnough) {
  const Goid helper = ++last_goid;
  start(helper, "main.helpers", "main.help", WaitClass::chan_receive, true).object.address = kQueue;
  run(6);
  fill();
  all_wait_in(WaitClass::chan_receive);
  spin(helper, "main.helpers");
  expect_silence();
}

class StalledSelect : public Stalled {
 protected:
  static constexpr std::uint64_t kQuit = 0xc000040000;
  void all_select(const std::string& function, const std::vector<ChannelLook>& from) {
    for (const Goid worker : workers) {
      wait(worker, function, WaitClass::select, 0);
      selects[worker] = from;
    }
  }
  const ChannelLook quit = channel(kQuit, 0, 0, "struct {}");
};
INSTANTIATE_TEST_SUITE_P(Windows, StalledSelect, windows());

TEST_P(StalledSelect, WorkersThatSelectTheirWork) {
  all_select("main.worker", {channels[kQueue], quit});
  run(6);
  fill();
  all_wait_in(WaitClass::chan_receive);
  run(long_enough());
  EXPECT_EQ(only().evidence, Evidence::stalled);
  EXPECT_EQ(only().severity, Severity::ticket);
}

TEST_P(StalledSelect, WorkersThatSelectSomethingElseWithAnExit) {
  all_select("main.worker", {channels[kQueue], quit});
  run(6);
  fill();
  all_select("main.deliver", {quit});
  run(long_enough());
  EXPECT_EQ(only().evidence, Evidence::stalled);
  EXPECT_EQ(only().severity, Severity::info);
}

TEST_P(StalledSelect, ThoseOfWhomNothingComesToBeKnownDoNotKeepTheOthersFromTheirTurn) {
  for (int i = 0; i < 3; ++i) start(++last_goid, "main.others", "main.other", WaitClass::select);
  all_select("main.worker", {});
  Program::look();
  const auto first = engine.stalls().unclear(2);
  const auto second = engine.stalls().unclear(2);
  EXPECT_EQ(first.size(), 2U);
  EXPECT_EQ(second.size(), 2U);
  EXPECT_NE(first, second);
  EXPECT_EQ(engine.stalls().unclear(2), first);
  EXPECT_EQ(engine.stalls().unclear(32).size(), 4U) << "two of each";
}

TEST_P(StalledSelect, WorkersThatWaitForWorkOfAnotherKindAreSilent) {
  all_select("main.paused", {channels[kOther], quit});
  run(6);
  all_wait_for_work();
  run(6);
  fill();
  all_select("main.paused", {channels[kOther], quit});
  expect_silence();
}

}  // namespace
}  // namespace goleakd::verdict
