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

ledger::RunState run_state(snapshot::GStatus status) {
  switch (status) {
    case GStatus::waiting:
    case GStatus::leaked:
      return ledger::RunState::waiting;
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

// What a traceback shows of a stack.
ledger::Stack shown(const target::GoBinary& binary, const std::vector<snapshot::LogicalFrame>& logical) {
  std::vector<ledger::Frame> frames;
  for (const snapshot::LogicalFrame& frame : snapshot::shown_frames(binary, logical)) {
    frames.push_back({.function = frame.source->function, .file = frame.source->file, .line = frame.source->line});
  }
  return std::make_shared<const std::vector<ledger::Frame>>(std::move(frames));
}

}  // namespace

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

std::vector<std::uint8_t> Translator::wait_reasons(ledger::WaitClass wait) const {
  std::vector<std::uint8_t> reasons;
  for (std::size_t reason = 1; reason < wait_classes_.size(); ++reason) {
    const auto number = static_cast<std::uint8_t>(reason);
    const bool named = !process_.binary->layout().wait_reason(number).empty();
    if (named && wait_classes_[reason] == wait) reasons.push_back(number);
  }
  return reasons;
}

std::vector<std::uint64_t> Translator::gopcs_of(ledger::CreationId site) const {
  std::vector<std::uint64_t> gopcs;
  for (const auto& [gopc, creation] : creations_) {
    if (creation.id == site) gopcs.push_back(gopc);
  }
  return gopcs;
}

ledger::BlockedId Translator::blocked(const snapshot::Stack& stack, ledger::WaitClass wait, std::string_view reason) {
  if (stack.frames.empty()) return {};
  StableHash hash;
  for (const snapshot::StackFrame& frame : stack.frames) hash.add(frame.pc);
  const std::uint64_t key = hash.add(reason).value();
  if (const auto known = blocked_.find(key); known != blocked_.end()) return known->second;

  const target::GoBinary& binary = *process_.binary;
  const auto logical = snapshot::logical_frames(binary, stack.frames);
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
    for (const snapshot::StackFrame& frame : stack.frames)
      place.in_loop = place.in_loop || binary.is_range_receive(frame.pc);
  }
  place.stack = shown(binary, logical);
  if (blocked_.size() > kMaxRemembered) blocked_.clear();
  return blocked_[key] = ledger_.intern(place);
}

ledger::GoroutineState Translator::state(const snapshot::Snapshot& snapshot, const snapshot::Goroutine& g) {
  const target::Layout& layout = process_.binary->layout();
  const snapshot::Birth& birth = snapshot.births[g.birth];
  ledger::GoroutineState state;
  state.goid = g.goid;
  state.parent = g.parent;
  state.creation = g.birth == 0 ? ledger::CreationId{} : creation(birth.gopc, birth.startpc);
  state.state = run_state(g.status);
  state.system = g.system;
  state.stack_bytes = g.stack_bytes;
  state.object = {.address = g.channel, .unbuffered = g.unbuffered, .full = g.full};
  if (!ledger::at_rest(state.state)) return state;

  const bool waiting = state.state == ledger::RunState::waiting;
  state.wait = waiting ? wait_classes_[g.wait_reason] : ledger::WaitClass::syscall;
  const auto [known, is_new] =
      blocked_now_.try_emplace(std::uint64_t{g.stack} << 9U | (waiting ? 0U : 256U) | g.wait_reason);
  if (is_new) {
    const std::string_view reason = waiting ? layout.wait_reason(g.wait_reason) : "syscall";
    known->second = blocked(*snapshot.stacks[g.stack], state.wait, reason);
  }
  state.blocked = known->second;
  // Zero, which never matches, where transitions leave no trace in the g: system calls since Go 1.26 and coroutine
  // switches.
  const bool traced = (waiting || layout.minor < 26) && state.wait != ledger::WaitClass::coroutine;
  state.park_identity = traced ? g.park_identity : 0;
  if (g.wait_since != 0) state.waiting_since = instant_from_ns(g.wait_since);
  return state;
}

ledger::Stack Translator::runnable_stack(const snapshot::Snapshot& snapshot, ledger::CreationId site) const {
  for (std::size_t i = 0; i < snapshot.goroutines.size(); ++i) {
    const snapshot::Goroutine& g = snapshot.goroutines[i];
    if (g.stack == 0 || run_state(g.status) != ledger::RunState::runnable) continue;
    const auto creation = creations_.find(snapshot.births[g.birth].gopc);
    if (creation == creations_.end() || creation->second.id != site) continue;
    const target::GoBinary& binary = *process_.binary;
    return shown(binary, snapshot::logical_frames(binary, snapshot.stacks[g.stack]->frames));
  }
  return nullptr;
}

ledger::Event Translator::event(const goleakd_event& event) {
  using Kind = ledger::Event::Kind;
  ledger::Event out;
  out.time = instant_from_ns(event.time_ns);
  out.goid = event.goid;
  switch (event.kind) {
    case GOLEAKD_SPAWN:
      out.kind = Kind::spawn;
      out.parent = event.parent;
      out.creation = creation(event.pc, 0);
      break;
    case GOLEAKD_EXIT:
      out.kind = Kind::exit;
      break;
    default:
      out.kind = Kind::unpark;
  }
  return out;
}

// Generic and inlined functions have several copies of one `go` statement.
std::map<ledger::CreationId, ledger::SiteParks> Translator::parks(const std::vector<probe::SiteParks>& sites) {
  std::map<ledger::CreationId, ledger::SiteParks> parks;
  for (const probe::SiteParks& site : sites) {
    ledger::SiteParks& sum = parks[site.gopc == 0 ? ledger::CreationId{} : creation(site.gopc, 0)];
    sum.parked += site.parked;
    sum.unparked += site.unparked;
    sum.finished.total_ns += site.total_ns;
    for (std::size_t i = 0; i < site.by_log2.size(); ++i)
      sum.finished.by_log2_ns[i + GOLEAKD_PARK_BUCKET_SHIFT] += site.by_log2[i];
  }
  return parks;
}

ledger::Snapshot Translator::snapshot(const snapshot::Snapshot& snapshot) {
  blocked_now_.clear();
  return {.begin = snapshot.begin,
          .end = snapshot.end,
          .torn = snapshot.implausible,
          .count = snapshot.goroutines.size(),
          .state = [this, &snapshot](std::size_t i) { return state(snapshot, snapshot.goroutines[i]); }};
}

}  // namespace goleakd::daemon
