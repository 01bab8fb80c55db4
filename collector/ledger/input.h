// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/clock.h"
#include "ledger/site.h"

namespace goleakd::ledger {

// runtime.g.goid: never reused while a process lives.
using Goid = std::uint64_t;

// What a probe told of one goroutine, in the order in which the kernel recorded it (which respects cause before
// effect).
struct Event {
  enum class Kind : std::uint8_t {
    spawn,
    exit,
    unpark,  // after a long park: of short ones only numbers are told (SiteParks)
  };
  Kind kind{};
  Instant time;
  Goid goid = 0;
  Goid parent = 0;        // spawn: who executed the `go` statement; 0 unknown (Go 1.19) or the runtime
  CreationId creation{};  // spawn only
};

// Parks that have ended.
struct FinishedParks {
  std::array<std::uint64_t, 64> by_log2_ns{};  // those that lasted [2^i, 2^(i+1)) ns are counted in [i]
  std::uint64_t total_ns = 0;
};

// Parks of one creation site's goroutines, since the probes of park and unpark are in place.
struct SiteParks {
  std::uint64_t parked = 0;
  std::uint64_t unparked = 0;
  FinishedParks finished;
};

enum class RunState : std::uint8_t { runnable, running, syscall, waiting, other };

// The channel of a single send or receive, as it was when it was read.
struct WaitObject {
  std::uint64_t address = 0;  // tells objects apart, and is never shown as anything else; 0: none, or not known
  bool unbuffered = false;
  bool full = false;  // capacity > 0 and length == capacity
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
  std::uint32_t stack_bytes = 0;         // stack.hi - stack.lo
  WaitObject object;
};

// One walk of the goroutine table. Everything in it was true at some moment in [begin, end]. There may be millions of
// goroutines, so their states are made one by one while the ledger merges them.
struct Snapshot {
  Instant begin;
  Instant end;
  std::uint64_t torn = 0;                            // changed while they were read, so are not among `count`
  std::size_t count = 0;                             // dead ones left out
  std::function<GoroutineState(std::size_t)> state;  // of the i-th, i < count; asked once for each, in order
};

}  // namespace goleakd::ledger
