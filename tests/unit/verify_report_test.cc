// SPDX-License-Identifier: Apache-2.0
// Exit codes, and which programs count.
#include <gtest/gtest.h>

#include "verify/report.h"
#include "verify_fixture.h"

namespace goleakd::verify {
namespace {

Program program(Program::Outcome outcome, const std::string& package = "example.com/a") {
  Program one;
  one.outcome = outcome;
  one.package = package;
  if (package.ends_with(".test")) one.tests_of = package.substr(0, package.size() - 5);
  return one;
}

Program leaking(bool accepted = false) {
  Program one = program(Program::Outcome::judged);
  one.left = judged(test_binary(), {waiting(7, 1, "main.main", "main.work")});
  one.left.leaks[0].accepted = accepted;
  return one;
}

TEST(ExitCode, IsTheCommandsOwnWhereNothingLeaks) {
  Report report;
  report.programs = {program(Program::Outcome::judged)};
  EXPECT_EQ(exit_code(report), 0);
  report.end.status = 7;
  EXPECT_EQ(exit_code(report), 7);
  report.end = {.status = 0, .signal = 15};
  EXPECT_EQ(exit_code(report), 128 + 15);
}

TEST(ExitCode, LeaksComeFirst) {
  Report report;
  report.programs = {program(Program::Outcome::judged), leaking(), program(Program::Outcome::unreadable)};
  EXPECT_EQ(exit_code(report), ExitCodes::kLeaks);
  EXPECT_EQ(exit_code(report, 70), 70);
  report.end.status = 7;
  EXPECT_EQ(exit_code(report), ExitCodes::kLeaks);
  report.baseline_written = true;
  EXPECT_EQ(exit_code(report), 7);
}

TEST(ExitCode, AcceptedLeaksAreNone) {
  Report report;
  report.programs = {leaking(true)};
  EXPECT_EQ(exit_code(report), 0);
}

TEST(ExitCode, NothingJudgedIsNeverAPass) {
  Report report;
  EXPECT_EQ(exit_code(report), ExitCodes::kNothingJudged);
  report.not_selected = 3;
  report.programs = {program(Program::Outcome::failed)};
  EXPECT_EQ(exit_code(report), ExitCodes::kNothingJudged);
  report.programs.push_back(program(Program::Outcome::unreadable));
  EXPECT_EQ(exit_code(report), ExitCodes::kUnreadable);
  report.programs.push_back(program(Program::Outcome::judged));
  EXPECT_EQ(exit_code(report), ExitCodes::kUnreadable);
  report.end.status = 2;
  EXPECT_EQ(exit_code(report), 2);
}

TEST(KeepTestBinaries, LeavesOutTools) {
  Report report;
  report.programs = {leaking(), program(Program::Outcome::unreadable, "example.com/tool")};
  keep_test_binaries(report);
  EXPECT_EQ(report.programs.size(), 2);
  report.programs.push_back(program(Program::Outcome::judged, "example.com/a.test"));
  report.programs.push_back(program(Program::Outcome::unreadable, ""));
  keep_test_binaries(report);
  ASSERT_EQ(report.programs.size(), 2);
  EXPECT_EQ(report.programs[0].tests_of, "example.com/a");
  EXPECT_EQ(report.programs[1].package, "");  // it may have been one
  EXPECT_EQ(report.not_selected, 2);
}

}  // namespace
}  // namespace goleakd::verify
