// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

#include "base/clock.h"
#include "ledger/input.h"
#include "ledger/site.h"

namespace goleakd::ledger {

// In a park (waiting) or in a system call. Only of the first the probes of parks tell.
constexpr bool at_rest(RunState state) { return state == RunState::waiting || state == RunState::syscall; }

// It has a processor, or waits for one.
constexpr bool is_awake(RunState state) { return state == RunState::running || state == RunState::runnable; }

// What the ledger holds of one live goroutine. There may be millions: every byte counts. What events need stands first,
// so that most of them meet one cache line.
struct Goroutine {
  Goid goid = 0;
  std::uint32_t next = 0;  // GoroutineTable's
  CreationId creation{};

  RunState state : 3 = RunState::runnable;  // of the newest snapshot, moved on by the events since
  WaitClass wait : 5 = WaitClass::none;

  std::uint8_t stack_width : 6 = 0;  // bit_width(stack_bytes)
  bool unbuffered : 1 = false;       // of object
  bool full : 1 = false;             // of object

  bool seen : 1 = false;         // by the snapshot that is being merged
  bool seen_before : 1 = false;  // by the newest that has been
  bool shown : 1 = false;        // the newest snapshot shows what it does now: state, blocked, object
  bool exact : 1 = false;        // the probes told when the present park began
  bool confirmed : 1 = false;    // known to have lived since the events are complete
  bool missing : 1 = false;      // the last whole snapshot did not show it, though it should have
  bool system : 1 = false;
  bool orphaned : 1 = false;  // its parent is known, and has ended

  std::uint8_t untold_looks : 2 =
      0;                  // snapshots that have shown the present park, of whose begin the probes should tell
  bool left : 1 = false;  // its parent has ended during its present rest: it surely began before

  BlockedId blocked{};
  Instant changed = Instant::min();  // its newest event; min: none yet

  // The present rest (ParkAge). While it is awake, at_most is still a moment at which its next rest had not begun.
  Instant at_least = Instant::min();
  Instant at_most = Instant::min();
  std::uint64_t park_identity = 0;  // of the present rest; 0: no snapshot has shown it, or it is awake
  std::uint64_t object = 0;         // address of what it waits on; 0: not known
  Goid parent = 0;

  // Exact: a stack is a power of two (Go 1.19 to 1.27, runtime/stack.go: stackalloc). What is not one is rounded down.
  std::uint64_t stack_bytes() const { return stack_width == 0 ? 0 : std::uint64_t{1} << (stack_width - 1U); }
  void set_stack_bytes(std::uint32_t bytes) { stack_width = static_cast<std::uint8_t>(std::bit_width(bytes)) & 0x3fU; }
};
static_assert(sizeof(Goroutine) == 72);

}  // namespace goleakd::ledger
