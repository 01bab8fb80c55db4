// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "ledger/input.h"
#include "ledger/site.h"

namespace goleakd::ledger {

// In a park (waiting) or in a system call. Only the first is what park and unpark events tell of.
constexpr bool at_rest(RunState state) { return state == RunState::waiting || state == RunState::syscall; }

// What the ledger holds of one live goroutine. There may be millions: every byte counts.
struct Goroutine {
  Goid parent = 0;
  Instant changed = Instant::min();  // its newest event; min: none yet

  // The present rest (ParkAge). While it is awake, at_most is still a moment at which its next rest had not begun.
  Instant at_least = Instant::min();
  Instant at_most = Instant::min();
  std::uint64_t park_identity = 0;  // of the present rest; 0: no snapshot has shown it, or it is awake
  std::uint64_t object = 0;         // address of what it waits on; 0: not known

  CreationId creation{};
  BlockedId blocked{};
  std::uint32_t stack_bytes = 0;
  std::uint32_t seen = 0;  // number of the newest snapshot that showed it

  RunState state = RunState::runnable;  // of the newest snapshot, moved on by the events since
  WaitClass wait = WaitClass::none;

  bool parked : 1 = false;     // an unpark event is to be expected
  bool exact : 1 = false;      // an event told when the present park began
  bool shown : 1 = false;      // the newest snapshot shows what it does now: state, blocked, object
  bool confirmed : 1 = false;  // known to have lived since the events are complete
  bool missing : 1 = false;    // the last whole snapshot did not show it, though it should have
  bool doubted : 1 = false;    // the newest snapshot shows it awake or in another park, though `parked`
  bool system : 1 = false;
  bool unbuffered : 1 = false;  // of object
  bool full : 1 = false;        // of object
};
static_assert(sizeof(Goroutine) <= 72);  // the bar is 120 bytes a goroutine with all that holds it (docs: quality)

}  // namespace goleakd::ledger
