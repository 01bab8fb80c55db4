// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "verify/judge.h"

namespace goleakd::verify {

// A Go program that has come to its end.
struct Program {
  enum class Outcome : std::uint8_t {
    judged,
    failed,      // it exits with another status than 0: what it left is left because it was cut short
    killed,      // it never came to an exit
    unreadable,  // it was to be judged, and could not be
  };
  int pid = 0;
  std::string exe;
  std::string package;   // import path of the main package; empty where the binary does not tell
  std::string tests_of;  // import path of the package under test; empty when it is no test binary
  std::string go_version;
  int status = 0;  // that it exits with
  Outcome outcome = Outcome::judged;
  std::string reason;  // why it is unreadable
  Left left;           // of one that was judged
  Duration waited{};   // for goroutines to go away

  // How people call it: the package, else the file.
  std::string name() const { return package.empty() ? exe : package; }
};

// How the command ended that was run.
struct CommandEnd {
  int status = 0;  // of its exit
  int signal = 0;  // that ended it; 0: none
};

struct Report {
  std::string version;  // of goleakd
  std::vector<std::string> command;
  CommandEnd end;
  std::vector<Program> programs;   // in the order in which they came to their ends
  std::uint64_t not_selected = 0;  // Go programs that were left alone: Go's own, and those that are no test binaries
  bool still_running = false;      // something that the command has started lives on
  bool baseline_written = false;   // leaks are accepted from now on
  Duration settle{};               // as configured

  std::uint64_t leaked() const;  // goroutines, without accepted ones
  std::size_t judged() const;    // programs
  std::size_t of(Program::Outcome outcome) const;
};

// Where test binaries were among the programs, they alone are what was to be verified: those that run tests, and those
// that tests run, are tools. The others go to not_selected.
void keep_test_binaries(Report& report);

// What the command line gives back (docs/verify.md). `leaks`: the code for leaks.
struct ExitCodes {
  static constexpr int kLeaks = 1;
  static constexpr int kUnreadable = 3;
  static constexpr int kNothingJudged = 4;
  static constexpr int kNotExecutable = 126;  // as shells say it
  static constexpr int kNotFound = 127;
  static constexpr int kSignal = 128;  // and the signal's number
};
int exit_code(const Report& report, int leaks = ExitCodes::kLeaks);

}  // namespace goleakd::verify
