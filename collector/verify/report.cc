// SPDX-License-Identifier: Apache-2.0
#include "verify/report.h"

#include <algorithm>

namespace goleakd::verify {

std::uint64_t Report::leaked() const {
  std::uint64_t count = 0;
  for (const Program& program : programs) count += program.left.leaked();
  return count;
}

std::size_t Report::of(Program::Outcome outcome) const {
  return static_cast<std::size_t>(std::ranges::count(programs, outcome, &Program::outcome));
}

std::size_t Report::judged() const { return of(Program::Outcome::judged); }

void keep_test_binaries(Report& report) {
  const auto no_test = [](const Program& program) { return program.tests_of.empty(); };
  if (std::ranges::all_of(report.programs, no_test)) return;
  // What could not be read may have been a test binary.
  report.not_selected += std::erase_if(report.programs, [&](const Program& program) {
    return no_test(program) && (program.outcome != Program::Outcome::unreadable || !program.package.empty());
  });
}

int exit_code(const Report& report, int leaks) {
  if (report.leaked() != 0 && !report.baseline_written) return leaks;
  if (report.end.signal != 0) return ExitCodes::kSignal + report.end.signal;
  if (report.end.status != 0) return report.end.status;
  if (report.of(Program::Outcome::unreadable) != 0) return ExitCodes::kUnreadable;
  return report.judged() == 0 ? ExitCodes::kNothingJudged : 0;
}

}  // namespace goleakd::verify
