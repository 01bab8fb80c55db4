// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <string>

#include "daemon/commands.h"
#include "daemon/translator.h"
#include "ledger/goroutine_dump.h"
#include "snapshot/process_memory.h"
#include "snapshot/snapshot.h"
#include "snapshot/traceback.h"
#include "target/process.h"
#include "text/dump_json.h"
#include "text/dump_text.h"
#include "text/json.h"

namespace goleakd::daemon {
namespace {

using snapshot::GStatus;

std::string state_text(const snapshot::RawGoroutine& g, const target::Layout& layout) {
  if (g.blocked()) {
    const std::string_view reason = layout.wait_reason(g.wait_reason);
    return reason.empty() ? "waiting" : std::string(reason);
  }
  switch (g.status) {  // runtime.gStatusStrings
    case GStatus::runnable:
      return "runnable";
    case GStatus::running:
      return "running";
    case GStatus::syscall:
      return "syscall";
    case GStatus::copystack:
      return "copystack";
    case GStatus::preempted:
      return "preempted";
    default:
      return "???";
  }
}

// As runtime.goroutineheader counts.
std::uint64_t waiting_minutes(const snapshot::RawGoroutine& g, Instant now) {
  if ((!g.blocked() && g.status != GStatus::syscall) || g.wait_since == 0) return 0;
  const auto waited = now - instant_from_ns(g.wait_since);
  return waited.count() < 0 ? 0 : static_cast<std::uint64_t>(waited / std::chrono::minutes(1));
}

ledger::TracebackFrame traceback_frame(const snapshot::LogicalFrame& frame) {
  const std::string& name = frame.source->function;
  return {.frame = {.function = name == "runtime.gopanic" ? "panic" : name,  // runtime.printFuncName
                    .file = frame.source->file,
                    .line = frame.source->line},
          .inlined = frame.source->inlined,
          .pc_offset = frame.pc_offset};
}

ledger::GoroutineDump goroutine_dump(const target::GoProcess& process, const snapshot::Goroutine& g, Instant now) {
  const target::GoBinary& binary = *process.binary;
  ledger::GoroutineDump dump;
  dump.goid = g.raw.goid;
  dump.parent = g.raw.parent;
  dump.state = state_text(g.raw, binary.layout());
  dump.waiting_minutes = waiting_minutes(g.raw, now);
  dump.locked_to_thread = g.raw.locked_m != 0;
  dump.system = g.system;
  for (const auto& frame : snapshot::shown_frames(binary, snapshot::logical_frames(binary, g.frames))) {
    dump.frames.push_back(traceback_frame(frame));
  }
  if (g.raw.status == GStatus::running) {
    dump.stack_missing = "goroutine running on other thread; stack unavailable";
  } else if (g.frames.empty()) {
    dump.stack_missing = "goroutine went on while its stack was read; stack unavailable";
  }
  if (const auto creator = snapshot::created_by(process, g.raw)) {
    dump.created_by = {.frame = {.function = creator->function, .file = creator->file, .line = creator->line},
                       .inlined = false,
                       .pc_offset = creator->pc_offset};
  }
  dump.object = wait_object(g);
  return dump;
}

}  // namespace

Result<void> dump(int pid, Format format) {
  const target::Procfs proc;
  target::BinaryCache binaries;
  const auto process = target::GoProcess::open(proc, binaries, pid);
  if (!process) return fail(process.error());
  const auto snapshot = snapshot::take_snapshot(*process, snapshot::ProcessMemory(pid));
  if (!snapshot) {
    if (!process->alive(proc)) return fail(ErrorKind::gone, "process " + std::to_string(pid) + " has ended");
    return fail(snapshot.error());
  }
  ledger::ProcessDump dump{.pid = pid,
                           .exe = process->exe,
                           .go_version = process->binary->build_info().version.text,
                           .goroutines = {},
                           .torn = snapshot->implausible};
  for (const snapshot::Goroutine& g : snapshot->goroutines) {
    if (!g.system) dump.goroutines.push_back(goroutine_dump(*process, g, snapshot->begin));
  }
  const std::string text = format == Format::json ? text::to_text(text::dump_json(dump)) : text::dump_text(dump);
  std::fputs(text.c_str(), stdout);
  return {};
}

}  // namespace goleakd::daemon
