// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "history/file.h"
#include "history/keeper.h"
#include "history/recorder.h"
#include "history/view.h"
#include "sample_report.h"

namespace goleakd::history {

// A folder of its own, and reports at times of the test's choosing, in seconds from its begin on. History begins at a
// whole hour of wall time, so that steps are where one expects them.
class HistoryTest : public ::testing::Test {
 protected:
  HistoryTest() : wall_(WallClock::read()) {
    const auto now = static_cast<Seconds>(wall_.unix_seconds(MonotonicClock::now()));
    begin_ = now - now % 3600 - 1000 * 3600;
    folder_ =
        std::filesystem::temp_directory_path() / ("goleakd-history." + std::to_string(::getpid()) + "." +
                                                  ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directory(folder_);
  }
  ~HistoryTest() override {
    std::filesystem::permissions(folder_, std::filesystem::perms::owner_all);
    std::filesystem::remove_all(folder_);
  }

  std::string path() const { return folder_ / "history.db"; }

  // Half a second into it.
  Instant instant(Seconds after) const {
    const double behind = wall_.unix_seconds(MonotonicClock::now()) - static_cast<double>(begin_ + after) - 0.5;
    return MonotonicClock::now() - std::chrono::duration_cast<Duration>(std::chrono::duration<double>(behind));
  }

  // One process of service "shop", started at the begin.
  verdict::TargetReport process(int pid = 1, Seconds started = 0, std::string build = "b0b0") const {
    verdict::TargetReport target = sample::target(pid);
    target.start_ticks = static_cast<std::uint64_t>(100 + pid);
    target.build_id = std::move(build);
    target.facts.started = instant(started);
    return target;
  }

  verdict::Leak leak(verdict::Stage stage, std::uint64_t count, Seconds first_seen) const {
    verdict::Leak leak = sample::leak();
    leak.stage = stage;
    leak.count = leak.peak = count;
    leak.first_seen = instant(first_seen);
    return leak;
  }

  verdict::Report report(Seconds after, std::vector<verdict::TargetReport> targets) const {
    verdict::Report report = sample::report(std::move(targets));
    report.wall = wall_;
    report.at = instant(after);
    return report;
  }

  Recorder recorder(const std::string& boot = "boot", Duration interval = std::chrono::minutes(1)) const {
    auto opened = open_file(path(), 64U << 20U);
    EXPECT_TRUE(opened) << opened.error().message();
    auto recorder = Recorder::load(std::move(opened->database), boot, interval);
    EXPECT_TRUE(recorder) << recorder.error().message();
    return *std::move(recorder);
  }

  View view(std::optional<int> pid = {}) const {
    auto database = open_file_to_read(path());
    EXPECT_TRUE(database) << database.error().message();
    auto view = read_view(*database, pid, begin_ + 1000 * 3600);
    EXPECT_TRUE(view) << view.error().message();
    return *std::move(view);
  }

  std::filesystem::path folder_;
  WallClock wall_;
  Seconds begin_ = 0;
};

#define ASSERT_OK(expression)                                    \
  do {                                                           \
    const auto& result_of_it = (expression);                     \
    ASSERT_TRUE(result_of_it) << result_of_it.error().message(); \
  } while (false)

}  // namespace goleakd::history
