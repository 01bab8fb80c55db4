// SPDX-License-Identifier: Apache-2.0
#include "daemon/goroutine_dump.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>

#include "snapshot/traceback.h"

namespace goleakd::daemon {
namespace {

using snapshot::GStatus;

constexpr std::size_t kWindow = 65'536;     // goroutines whose details are held at a time
constexpr std::size_t kMaxFrames = 10'000;  // stacks whose frames are kept: few in a program, but it may be made up

std::string state_text(const snapshot::RawGoroutine& g, const target::Layout& layout) {
  if (g.blocked()) {
    const std::string_view reason = layout.wait_reason(g.wait_reason);
    const std::string state = reason.empty() ? "waiting" : std::string(reason);
    return g.status == GStatus::leaked ? state + " (leaked)" : state;
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

std::vector<ledger::TracebackFrame> traceback(const target::GoBinary& binary, const snapshot::Stack& stack) {
  std::vector<snapshot::LogicalFrame> logical;
  std::vector<std::uint64_t> pcs;
  for (const snapshot::StackFrame& frame : stack.frames) {
    for (const snapshot::LogicalFrame& one : snapshot::logical_frames(binary, {frame})) {
      logical.push_back(one);
      pcs.push_back(frame.symbol_pc);
    }
  }
  const std::vector<snapshot::LogicalFrame> shown = snapshot::shown_frames(binary, logical);
  std::vector<ledger::TracebackFrame> frames;
  std::size_t next_shown = 0;
  for (std::size_t i = 0; i < logical.size(); ++i) {
    const target::SourceFrame& source = *logical[i].source;
    const bool hidden = next_shown == shown.size() || shown[next_shown].source != &source ||
                        shown[next_shown].pc_offset != logical[i].pc_offset;
    if (!hidden) ++next_shown;
    frames.push_back({.frame = {.function = source.function, .file = source.file, .line = source.line},
                      .generic = source.generic,
                      .inlined = source.inlined,
                      .hidden = hidden,
                      .pc = pcs[i],
                      .pc_offset = logical[i].pc_offset});
  }
  return frames;
}

std::string missing(GStatus status, bool frames, snapshot::UnwindEnd end) {
  if (!frames) {
    return status == GStatus::running ? "goroutine running on other thread; stack unavailable"
                                      : "goroutine went on while its stack was read; stack unavailable";
  }
  switch (end) {
    case snapshot::UnwindEnd::top:
      return {};
    case snapshot::UnwindEnd::too_deep:
      return "additional frames elided";  // the runtime's words
    case snapshot::UnwindEnd::broken:
      return "the outer frames could not be unwound";
  }
  return {};
}

// Timers of a core file are told from when it died.
snapshot::Snapshot by_goid(snapshot::Snapshot snapshot, Instant now) {
  std::vector<std::size_t> order(snapshot.goroutines.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](std::size_t i) { return snapshot.goroutines[i].goid; });
  snapshot::GoroutineList goroutines;
  LargeArray<snapshot::RawGoroutine> raw;
  goroutines.reserve(order.size());
  raw.reserve(order.size());
  for (const std::size_t i : order) {
    goroutines.push_back(snapshot.goroutines[i]);
    raw.push_back(snapshot.raw[i]);
  }
  snapshot.goroutines = std::move(goroutines);
  snapshot.raw = std::move(raw);
  snapshot.begin = now;
  return snapshot;
}

}  // namespace

DumpSource::DumpSource(const target::GoProcess& process, const snapshot::Memory& memory, const target::Procfs* proc,
                       Instant now, snapshot::Snapshot snapshot)
    : process_(process),
      now_(now),
      snapshot_(by_goid(std::move(snapshot), now)),
      details_(process, memory, snapshot_, proc) {}

std::vector<std::size_t> DumpSource::numbers(bool system) const {
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < snapshot_.goroutines.size(); ++i) {
    if (system || !snapshot_.goroutines[i].system) numbers.push_back(i);
  }
  return numbers;
}

void DumpSource::each(std::span<const std::size_t> numbers, const Take& take) {
  while (!numbers.empty()) {
    const auto at_hand = numbers.first(std::min(numbers.size(), kWindow));
    numbers = numbers.subspan(at_hand.size());
    std::vector<GoroutineDetails> details = details_.of(at_hand);
    for (std::size_t i = 0; i < at_hand.size(); ++i) {
      ledger::GoroutineDump g = dump_of(snapshot_.goroutines[at_hand[i]], snapshot_.raw[at_hand[i]]);
      g.object = std::move(details[i].object);
      g.labels = std::move(details[i].labels);
      if (!take(at_hand[i], g)) return;
    }
  }
}

const std::vector<ledger::TracebackFrame>& DumpSource::frames_of(std::uint32_t stack) {
  const auto known = frames_.find(stack);
  if (known != frames_.end()) return known->second;
  if (frames_.size() >= kMaxFrames) frames_.clear();
  return frames_[stack] = traceback(*process_.binary, *snapshot_.stacks[stack]);
}

ledger::GoroutineDump DumpSource::dump_of(const snapshot::Goroutine& g, const snapshot::RawGoroutine& raw) {
  ledger::GoroutineDump dump;
  dump.goid = g.goid;
  dump.parent = g.parent;
  dump.state = state_text(raw, process_.binary->layout());
  dump.waiting_minutes = waiting_minutes(raw, now_);
  dump.locked_to_thread = raw.locked_m != 0;
  dump.system = g.system;
  dump.frames = frames_of(g.stack);
  dump.stack_missing = missing(g.status, !dump.frames.empty(), snapshot_.stacks[g.stack]->end);
  if (const auto creator = snapshot::created_by(process_, raw.goid, raw.gopc)) {
    dump.created_by = {.frame = {.function = creator->function, .file = creator->file, .line = creator->line},
                       .generic = {},
                       .inlined = false,
                       .hidden = false,
                       .pc = process_.link_address(raw.gopc),
                       .pc_offset = creator->pc_offset};
  }
  if (const auto started = process_.binary->functions().function_at(process_.link_address(raw.startpc))) {
    dump.started = target::printable_function(started->name);
  }
  return dump;
}

}  // namespace goleakd::daemon
