// SPDX-License-Identifier: Apache-2.0
#include "text/dump_text.h"

#include <array>
#include <cstdio>

#include "text/layout.h"

namespace goleakd::text {
namespace {

std::string place(const ledger::TracebackFrame& frame) {
  std::string line = "\t" + location(frame.frame.file, frame.frame.line);
  if (!frame.inlined && frame.pc_offset != 0) {
    std::array<char, 24> offset{};
    std::snprintf(offset.data(), offset.size(), " +0x%llx", static_cast<unsigned long long>(frame.pc_offset));
    line += offset.data();
  }
  return line + "\n";
}

std::string header(const ledger::GoroutineDump& g) {
  std::string line = "goroutine " + std::to_string(g.goid) + " [" + printable(g.state);
  if (g.waiting_minutes != 0) line += ", " + std::to_string(g.waiting_minutes) + " minutes";
  if (g.locked_to_thread) line += ", locked to thread";
  return line + "]:\n";
}

std::string stack(const ledger::GoroutineDump& g) {
  if (!g.stack_missing.empty()) {
    // The runtime has words only for a goroutine that runs.
    return g.state == "running" ? "\tgoroutine running on other thread; stack unavailable\n"
                                : "\tstack unavailable: " + printable(g.stack_missing) + "\n";
  }
  std::string lines;
  for (const ledger::TracebackFrame& frame : g.frames)
    lines += printable(frame.frame.function) + "(...)\n" + place(frame);
  return lines;
}

std::string created_by(const ledger::GoroutineDump& g) {
  if (!g.created_by) return {};
  std::string line = "created by " + printable(g.created_by->frame.function);
  if (g.parent != 0) line += " in goroutine " + std::to_string(g.parent);
  return line + "\n" + place(*g.created_by);
}

}  // namespace

std::string dump_text(const ledger::ProcessDump& dump) {
  std::string text;
  for (const ledger::GoroutineDump& g : dump.goroutines) {
    if (!text.empty()) text += "\n";
    text += header(g) + stack(g) + created_by(g);
  }
  return text;
}

}  // namespace goleakd::text
