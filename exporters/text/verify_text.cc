// SPDX-License-Identifier: Apache-2.0
#include "text/verify_text.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <vector>

#include "base/duration.h"
#include "text/blocks.h"
#include "text/layout.h"

namespace goleakd::text {
namespace {

using verify::KnownBy;
using verify::Leak;
using verify::Program;
using verify::Report;

constexpr std::size_t kLabelWidth = 14;  // "  goroutines  "

std::string name_of(const Program& program) {
  return printable(program.name()) + " (pid " + std::to_string(program.pid) + ")";
}

std::string test_line(const Leak& leak) {
  switch (leak.known_by) {
    case KnownBy::creation:
      return printable(leak.test) + ": the go statement is in it";
    case KnownBy::stack:
      return printable(leak.test) + ": it runs code of that test";
    case KnownBy::parent:
      return printable(leak.test) + ": the goroutine that started it is of that test";
    case KnownBy::sibling:
      return printable(leak.test) + ": the goroutine that started it has started others in that test";
    case KnownBy::nothing:
      break;
  }
  return "not known: neither it nor the goroutine that started it runs code of a test";
}

std::string goroutines(const Leak& leak) {
  std::string text;
  for (const ledger::Goid goid : leak.goids) text += (text.empty() ? "" : ", ") + std::to_string(goid);
  return text + (leak.count > leak.goids.size() ? ", …" : "");
}

std::vector<std::string> row(const std::string& label, const std::optional<ledger::Frame>& frame,
                             const std::string& more) {
  std::string head = "  " + label;
  head.resize(kLabelWidth - 2, ' ');  // align() puts two more
  return {head, frame ? printable(frame->function) : "unknown", frame ? location(frame->file, frame->line) : "", more};
}

std::string block(const Program& program, const Leak& leak, bool color) {
  const std::string word = color ? "\x1b[1;31mLEAK\x1b[0m" : "LEAK";
  return word + "  " + name_of(program) + ": " + counted(leak.count, "goroutine") + "\n" +
         (program.tests_of.empty() ? "" : "  test        " + test_line(leak) + "\n") + verify_details(leak);
}

std::string remark(const Program& program) {
  if (program.outcome == Program::Outcome::unreadable) {
    return "could not be judged: " + name_of(program) + ": " + printable(program.reason) + "\n";
  }
  if (program.outcome == Program::Outcome::failed) {
    return "not judged: " + name_of(program) + ": it failed, with exit status " + std::to_string(program.status) +
           " (--run-on-failure judges it all the same)\n";
  }
  if (program.outcome == Program::Outcome::killed) {
    return "not judged: " + name_of(program) + ": a signal killed it, so it had no exit to be judged at\n";
  }
  if (program.left.could_not_run != 0) {
    return "not quite judged: " + name_of(program) + ": " + counted(program.left.could_not_run, "goroutine") +
           " ready to go on or asleep had no processor at its end: GOMAXPROCS is 1, give it 2\n";
  }
  return {};
}

// What was looked at, so that nothing found can't be nothing looked at.
std::string totals(const Report& report) {
  const std::uint64_t leaked = report.leaked();
  std::uint64_t ignored = 0;
  std::uint64_t accepted = 0;
  for (const Program& program : report.programs) {
    ignored += program.left.ignored;
    for (const Leak& leak : program.left.leaks) accepted += leak.accepted ? leak.count : 0;
  }
  std::string text = leaked == 0 ? "no goroutines left" : counted(leaked, "goroutine") + " left";
  text += " in " + counted(report.judged(), "Go program");
  if (accepted != 0) text += "; " + std::to_string(accepted) + " in the baseline";
  if (ignored != 0) text += "; " + std::to_string(ignored) + " ignored";
  if (report.not_selected != 0) text += "; " + counted(report.not_selected, "Go program") + " left alone";
  if (report.still_running) text += "; something that the command started still runs, and is not judged";
  return text + "\n";
}

std::string nothing_judged(const Report& report) {
  std::string text = "no Go program was judged";
  if (report.not_selected != 0) text += " (" + counted(report.not_selected, "Go program") + " left alone)";
  text +=
      ": a program counts when it exits by itself, with status 0. Results of `go test` come from its cache unless "
      "-count=1 is given; a program that a signal kills (a service without a handler for SIGTERM, too) can't be judged";
  if (report.still_running) text += "; something that the command started still runs";
  return text + "\n";
}

}  // namespace

std::string verify_summary(const Leak& leak) {
  std::string text = counted(leak.count, "goroutine");
  if (leak.created) text += ", started by " + printable(leak.created->function);
  if (leak.blocked) text += ", in " + printable(leak.blocked->function);
  return text + " [" + printable(leak.example.state) + "]";
}

std::string verify_details(const Leak& leak, int stack_frames) {
  const ledger::GoroutineDump& g = leak.example;
  std::vector<std::vector<std::string>> rows{
      row("started", leak.created, g.started.empty() ? "" : "(go " + printable(g.started) + ")"),
      row("stuck in", leak.blocked, "[" + printable(g.state) + "]")};
  int shown = 0;
  std::size_t more = 0;
  for (const ledger::TracebackFrame& frame : g.frames) {
    if (frame.hidden) continue;
    if (shown == stack_frames) {
      ++more;
      continue;
    }
    rows.push_back(row(shown == 0 ? "stack" : "", frame.frame, ""));
    ++shown;
  }
  std::string text;
  if (shown == 1) rows.pop_back();  // where it is stuck says it
  for (const std::string& line : align(rows)) text += line + "\n";
  if (more != 0) text += "              and " + std::to_string(more) + " more\n";
  if (g.frames.empty()) text += "  stack       " + printable(g.stack_missing) + "\n";
  return text + "  goroutines  " + goroutines(leak) + "\n";
}

bool verify_remarks(const Report& report) {
  return report.judged() == 0 ||
         std::ranges::any_of(report.programs, [](const Program& program) { return !remark(program).empty(); });
}

std::string verify_text(const Report& report, bool color) {
  std::string text;
  for (const Program& program : report.programs) {
    for (const Leak& leak : program.left.leaks) {
      if (!leak.accepted) text += block(program, leak, color) + "\n";
    }
  }
  for (const Program& program : report.programs) text += remark(program);
  return text + (report.judged() == 0 ? nothing_judged(report) : totals(report));
}

}  // namespace goleakd::text
