// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "ledger/site.h"

namespace goleakd::ledger {

// runtime.g.goid: never reused while a process lives.
using Goid = std::uint64_t;

// One probe hit, in the order in which the kernel recorded it (which respects cause before effect).
struct Event {
  enum class Kind : std::uint8_t { spawn, exit, park, unpark };
  Kind kind{};
  Instant time;
  Goid goid = 0;
  Goid parent = 0;                   // spawn: who executed the `go` statement; 0 unknown (Go 1.19) or the runtime
  CreationId creation{};             // spawn only
  WaitClass wait = WaitClass::none;  // park only
};

enum class RunState : std::uint8_t { runnable, running, syscall, waiting, other };

// What a channel or lock held when it was read. Addresses tell objects apart; they are never shown as anything else.
struct WaitObject {
  std::uint64_t address = 0;
  std::uint64_t length = 0;    // channel: buffered values
  std::uint64_t capacity = 0;  // channel: size of its buffer
  bool closed = false;         // channel
};

// One goroutine as one snapshot saw it.
struct GoroutineState {
  Goid goid = 0;
  Goid parent = 0;
  CreationId creation{};
  BlockedId blocked{};  // set when state is waiting or syscall
  RunState state = RunState::other;
  WaitClass wait = WaitClass::none;
  bool system = false;                   // the runtime's own (isSystemGoroutine): counted apart, never a leak
  std::uint64_t park_identity = 0;       // two snapshots that show the same value saw the same park
  std::optional<Instant> waiting_since;  // g.waitsince, where a garbage collection has stamped it: at least that long
  std::uint64_t stack_bytes = 0;         // stack.hi - stack.lo
  std::optional<WaitObject> object;      // single-channel operations
};

// One walk of the goroutine table. Everything in it was true at some moment in [begin, end].
struct Snapshot {
  Instant begin;
  Instant end;
  std::vector<GoroutineState> goroutines;  // each goid once; dead ones left out
  std::uint64_t torn = 0;                  // goroutines that changed while they were read, so are not in the list
};

}  // namespace goleakd::ledger
