// SPDX-License-Identifier: Apache-2.0
#include "daemon/translator.h"

#include <memory>
#include <string>
#include <vector>

#include "base/hash.h"

namespace goleakd::daemon {
namespace {

using snapshot::GStatus;

constexpr std::size_t kMaxRemembered = 100'000;  // what is looked up is the target's: it may be made up

ledger::RunState run_state(const snapshot::RawGoroutine& g) {
  if (g.blocked()) return ledger::RunState::waiting;
  switch (g.status) {
    case GStatus::runnable:
      return ledger::RunState::runnable;
    case GStatus::running:
      return ledger::RunState::running;
    case GStatus::syscall:
      return ledger::RunState::syscall;
    default:
      return ledger::RunState::other;
  }
}

// The same value twice for one goroutine: the same park, or an exact multiple of 256 parks later at the same place. The
// depth of the stack rather than its address: the collector moves stacks.
// Zero, which never matches, where transitions leave no trace in the g: system calls since Go 1.26 and coroutine
// switches.
std::uint64_t park_identity(const snapshot::RawGoroutine& g, ledger::WaitClass wait, int minor) {
  const bool syscall = g.status == GStatus::syscall;
  if ((syscall && minor >= 26) || wait == ledger::WaitClass::coroutine) return 0;
  return StableHash()
      .add(g.stack_hi - (syscall ? g.syscall_sp : g.sched_sp))
      .add(syscall ? g.syscall_pc : g.sched_pc)
      .add(std::uint64_t{g.tracking_seq} << 8U | g.wait_reason)
      .value();
}

}  // namespace

std::optional<ledger::WaitObject> wait_object(const snapshot::Goroutine& g) {
  if (!g.channel) return std::nullopt;
  return ledger::WaitObject{.address = g.channel->address,
                            .length = g.channel->length,
                            .capacity = g.channel->capacity,
                            .closed = g.channel->closed};
}

Translator::Translator(const target::GoProcess& process, ledger::Ledger& ledger) : process_(process), ledger_(ledger) {
  for (std::size_t reason = 0; reason < wait_classes_.size(); ++reason) {
    wait_classes_[reason] =
        ledger::wait_class_of(process.binary->layout().wait_reason(static_cast<std::uint8_t>(reason)));
  }
}

ledger::CreationId Translator::creation(std::uint64_t gopc, std::uint64_t startpc) {
  // Events do not tell what the goroutine runs; the first snapshot that shows one of this site does.
  if (creations_.size() > kMaxRemembered) creations_.clear();
  Creation& known = creations_[gopc];
  if (known.resolved && (startpc == 0 || known.entry_known)) return known.id;
  const target::GoBinary& binary = *process_.binary;
  ledger::CreationSite site;
  const std::uint64_t pc = process_.link_address(gopc);
  const auto& frames = binary.symbolizer().frames(pc - 1);
  if (!frames.empty()) {
    site.function = frames.back().function;
    site.ordinal = binary.go_statement_ordinal(pc);
    site.file = frames.front().file;
    site.line = frames.front().line;
  }
  if (startpc != 0) {
    if (const auto entry = binary.functions().function_at(process_.link_address(startpc))) {
      site.entry = target::printable_function(entry->name);
    }
    known.entry_known = true;
  }
  // The runtime starts the main goroutine from assembly, whose name and line tell nobody anything.
  if (site.entry == "runtime.main") {
    site = {.function = "runtime.main", .ordinal = 0, .file = {}, .line = 0, .entry = "main.main"};
  }
  known.resolved = true;
  return known.id = ledger_.intern(site);
}

ledger::BlockedId Translator::blocked(const snapshot::Goroutine& g, ledger::WaitClass wait, std::string_view reason) {
  if (g.frames.empty()) return {};
  StableHash hash;
  for (const snapshot::StackFrame& frame : g.frames) hash.add(frame.pc);
  const std::uint64_t key = hash.add(reason).value();
  if (const auto known = blocked_.find(key); known != blocked_.end()) return known->second;

  const target::GoBinary& binary = *process_.binary;
  const auto logical = snapshot::logical_frames(binary, g.frames);
  const auto at = snapshot::blocked_frame(logical);
  if (!at) return {};
  const target::SourceFrame& source = *logical[*at].source;
  ledger::BlockedPlace place;
  place.function = source.function;
  place.file = source.file;
  place.line = source.line;
  place.wait = wait;
  place.reason = reason;
  if (wait == ledger::WaitClass::chan_receive) {
    for (const snapshot::StackFrame& frame : g.frames)
      place.in_loop = place.in_loop || binary.is_range_receive(frame.pc);
  }
  std::vector<ledger::Frame> frames;
  for (const snapshot::LogicalFrame& frame : snapshot::shown_frames(binary, logical)) {
    frames.push_back({.function = frame.source->function, .file = frame.source->file, .line = frame.source->line});
  }
  place.stack = std::make_shared<const std::vector<ledger::Frame>>(std::move(frames));
  if (blocked_.size() > kMaxRemembered) blocked_.clear();
  return blocked_[key] = ledger_.intern(place);
}

ledger::GoroutineState Translator::state(const snapshot::Goroutine& g) {
  ledger::GoroutineState state;
  state.goid = g.raw.goid;
  state.parent = g.raw.parent;
  state.creation = creation(g.raw.gopc, g.raw.startpc);
  state.state = run_state(g.raw);
  state.system = g.system;
  state.stack_bytes = g.raw.stack_hi - g.raw.stack_lo;
  if (state.state == ledger::RunState::waiting || state.state == ledger::RunState::syscall) {
    const bool waiting = state.state == ledger::RunState::waiting;
    const std::string_view reason = waiting ? process_.binary->layout().wait_reason(g.raw.wait_reason) : "syscall";
    state.wait = waiting ? wait_classes_[g.raw.wait_reason] : ledger::WaitClass::syscall;
    state.blocked = blocked(g, state.wait, reason);
    state.park_identity = park_identity(g.raw, state.wait, process_.binary->layout().minor);
    if (g.raw.wait_since != 0) state.waiting_since = instant_from_ns(g.raw.wait_since);
  }
  state.object = wait_object(g);
  return state;
}

ledger::Event Translator::event(const goleakd_event& event) {
  ledger::Event out;
  out.time = instant_from_ns(event.time_ns);
  out.goid = event.goid;
  switch (event.kind) {
    case GOLEAKD_SPAWN:
      out.kind = ledger::Event::Kind::spawn;
      out.parent = event.parent;
      out.creation = creation(event.pc, 0);
      break;
    case GOLEAKD_EXIT:
      out.kind = ledger::Event::Kind::exit;
      break;
    case GOLEAKD_PARK:
      out.kind = ledger::Event::Kind::park;
      out.wait = wait_classes_[event.reason];
      break;
    default:
      out.kind = ledger::Event::Kind::unpark;
      break;
  }
  return out;
}

ledger::Snapshot Translator::snapshot(const snapshot::Snapshot& snapshot) {
  ledger::Snapshot out{.begin = snapshot.begin, .end = snapshot.end, .goroutines = {}, .torn = snapshot.implausible};
  out.goroutines.reserve(snapshot.goroutines.size());
  for (const snapshot::Goroutine& g : snapshot.goroutines) out.goroutines.push_back(state(g));
  return out;
}

}  // namespace goleakd::daemon
