// SPDX-License-Identifier: Apache-2.0
#include "daemon/discovery.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace goleakd::daemon {
namespace {

using probe::ProcessEvent;

// A /proc whose processes are no Go programs, or files that break the rules of ELF: real ones are for the integration
// tests.
class DiscoveryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = std::filesystem::path(::testing::TempDir()) / ("discovery" + std::to_string(::getpid()));
    std::filesystem::create_directories(root_);
    std::ofstream(root_ / "broken") << "\x7f"
                                    << "ELF";
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  // `stack` tells one program from the next of the same process.
  void process(int pid, int start, int stack, const std::filesystem::path& exe, char state = 'S') {
    const auto folder = root_ / std::to_string(pid);
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "stat") << pid << " (a) " << state << " 1 1 1 0 -1 0 1 0 0 0 0 0 0 0 20 0 5 0 " << start
                                   << " 1000 200 1 1 1 " << stack << " 0\n";
    std::filesystem::remove(folder / "exe");
    std::filesystem::create_symlink(exe, folder / "exe");
  }
  void gone(int pid) { std::filesystem::remove_all(root_ / std::to_string(pid)); }
  static ProcessEvent executed(int pid, int start, Instant at = MonotonicClock::now()) {
    return {
        .kind = ProcessEvent::Kind::executed, .pid = pid, .start_ticks = static_cast<std::uint64_t>(start), .at = at};
  }
  static ProcessEvent ended(int pid, int start) {
    return {.kind = ProcessEvent::Kind::ended,
            .pid = pid,
            .start_ticks = static_cast<std::uint64_t>(start),
            .at = MonotonicClock::now()};
  }
  std::vector<int> refused() const {
    std::vector<int> pids;
    for (const auto& report : discovery_.unsupported()) pids.push_back(report.pid);
    return pids;
  }

  std::filesystem::path root_;
  std::filesystem::path broken() const { return root_ / "broken"; }
  std::vector<int> told_;
  Discovery discovery_{
      target::Procfs(std::filesystem::path(::testing::TempDir()) / ("discovery" + std::to_string(::getpid()))),
      Config::Targets{}, [this](const Discovery::Change& change) { told_.push_back(change.pid); }};
};

TEST_F(DiscoveryTest, AScanSeesWhatIsThereAndForgetsWhatHasEnded) {
  process(7, 100, 1, broken());
  process(8, 100, 1, "/proc/self/exe");
  discovery_.scan();
  EXPECT_EQ(refused(), std::vector<int>{7});
  EXPECT_NE(discovery_.unsupported().at(0).reason.find("broken"), std::string::npos);
  gone(7);
  discovery_.scan();
  EXPECT_TRUE(refused().empty());
  EXPECT_EQ(discovery_.counters().scans, 2U);
  EXPECT_TRUE(told_.empty());  // there was no Go program that could be watched
}

TEST_F(DiscoveryTest, AnotherSelectionLooksAtWhatItMakesADifferenceFor) {
  process(7, 100, 1, broken());
  process(8, 100, 1, "/proc/self/exe");
  Config::Targets none;
  none.include = {"/nowhere/*"};
  discovery_.select(none);
  discovery_.scan();
  EXPECT_TRUE(refused().empty()) << "not selected";
  Config::Targets some;
  some.include = {"*/broken"};
  discovery_.select(some);
  EXPECT_EQ(refused(), std::vector<int>{7}) << "without another scan";
  some.services = {{.exe = "*/broken", .name = "shop"}};
  discovery_.select(some);
  EXPECT_EQ(refused(), std::vector<int>{7});
  some.exclude = {"*/broken"};
  discovery_.select(some);
  EXPECT_TRUE(refused().empty());
  gone(7);
  gone(8);
  discovery_.scan();
  discovery_.select({});
  EXPECT_TRUE(refused().empty());
}

TEST_F(DiscoveryTest, FollowsWhatTheKernelTells) {
  process(7, 100, 1, broken());
  const std::vector<ProcessEvent> begin{executed(7, 100)};
  discovery_.follow(begin);
  EXPECT_EQ(refused(), std::vector<int>{7});
  const std::vector<ProcessEvent> end{ended(7, 100)};
  discovery_.follow(end);  // /proc shows it still
  EXPECT_TRUE(refused().empty());
  discovery_.scan();  // and a scan does not bring it back
  EXPECT_TRUE(refused().empty());
  process(7, 200, 2, broken());  // until another one has its pid
  discovery_.scan();
  EXPECT_EQ(refused(), std::vector<int>{7});
  EXPECT_EQ(discovery_.counters().executed, 1U);
  EXPECT_EQ(discovery_.counters().too_short, 0U);
}

TEST_F(DiscoveryTest, CountsWhatHasEndedBeforeItWasLookedAt) {
  process(7, 100, 1, broken());
  const std::vector<ProcessEvent> all{executed(7, 100), ended(7, 100), executed(8, 100), executed(9, 100)};
  process(9, 100, 1, "/proc/self/exe");
  discovery_.follow(all);  // 7 within the batch, 8 is not there any more, 9 lives
  EXPECT_TRUE(refused().empty());
  EXPECT_EQ(discovery_.counters().executed, 3U);
  EXPECT_EQ(discovery_.counters().too_short, 2U);
}

TEST_F(DiscoveryTest, APidThatIsUsedAgainIsAnotherProcess) {
  process(7, 200, 2, broken());
  const std::vector<ProcessEvent> all{executed(7, 100), ended(7, 100), executed(7, 200)};
  discovery_.follow(all);
  EXPECT_EQ(refused(), std::vector<int>{7});
  EXPECT_EQ(discovery_.counters().too_short, 1U);
  const std::vector<ProcessEvent> again{ended(7, 100)};  // the end of a process may be told twice
  discovery_.follow(again);
  EXPECT_EQ(refused(), std::vector<int>{7});
}

TEST_F(DiscoveryTest, AnExecOfTheSamePidIsANewProgram) {
  process(7, 100, 1, broken());
  discovery_.scan();
  EXPECT_EQ(refused(), std::vector<int>{7});
  process(7, 100, 2, "/proc/self/exe");
  const std::vector<ProcessEvent> all{executed(7, 100)};
  discovery_.follow(all);
  EXPECT_TRUE(refused().empty());
  process(7, 100, 3, broken());
  discovery_.scan();  // the same without the kernel's word
  EXPECT_EQ(refused(), std::vector<int>{7});
}

TEST_F(DiscoveryTest, AnEventOfWhatAScanHasSeenChangesNothing) {
  const Instant before = MonotonicClock::now();
  process(7, 100, 1, broken());
  discovery_.scan();
  // A second look would find something else in the same file.
  std::filesystem::copy_file("/bin/true", broken(), std::filesystem::copy_options::overwrite_existing);
  const std::vector<ProcessEvent> all{executed(7, 100, before)};
  discovery_.follow(all);
  EXPECT_EQ(refused(), std::vector<int>{7});
}

TEST_F(DiscoveryTest, WhatIsNotSelectedIsNotOpened) {
  Config::Targets targets;
  targets.exclude = {"*/broken"};
  Discovery discovery(target::Procfs(root_), targets, [](const Discovery::Change&) {});
  process(7, 100, 1, broken());
  discovery.scan();
  EXPECT_TRUE(discovery.unsupported().empty());
}

TEST_F(DiscoveryTest, StopsWhenItIsTold) {
  for (int pid = 2; pid < 50; ++pid) process(pid, 100, 1, broken());
  std::stop_source stop;
  stop.request_stop();
  discovery_.scan(stop.get_token());
  EXPECT_TRUE(refused().empty());
}

}  // namespace
}  // namespace goleakd::daemon
