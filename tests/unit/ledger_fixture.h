// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ledger/ledger.h"

namespace goleakd::ledger {

// Milliseconds from an arbitrary start far enough from zero.
inline Instant at(std::int64_t ms) { return Instant(std::chrono::hours(1000) + std::chrono::milliseconds(ms)); }

inline CreationSite creation_site(std::string function, std::uint32_t ordinal = 0) {
  CreationSite site;
  site.function = std::move(function);
  site.ordinal = ordinal;
  site.file = "app.go";
  site.line = 10;
  return site;
}

inline BlockedPlace place(std::string function, WaitClass wait, int line = 20) {
  BlockedPlace result;
  result.function = std::move(function);
  result.wait = wait;
  result.line = line;
  return result;
}

inline Event spawn(std::int64_t ms, Goid goid, CreationId creation = {}, Goid parent = 1) {
  return {.kind = Event::Kind::spawn, .time = at(ms), .goid = goid, .parent = parent, .creation = creation};
}
inline Event exit(std::int64_t ms, Goid goid) { return {.kind = Event::Kind::exit, .time = at(ms), .goid = goid}; }
inline Event unpark(std::int64_t ms, Goid goid) { return {.kind = Event::Kind::unpark, .time = at(ms), .goid = goid}; }

inline GoroutineState running(Goid goid) {
  GoroutineState state;
  state.goid = goid;
  state.parent = 1;
  state.state = RunState::running;
  state.stack_bytes = 8192;
  return state;
}
inline GoroutineState waiting(Goid goid, std::uint64_t park_identity, WaitClass wait = WaitClass::chan_receive) {
  GoroutineState state = running(goid);
  state.state = RunState::waiting;
  state.wait = wait;
  state.park_identity = park_identity;
  return state;
}

inline Snapshot snapshot(Instant begin, Instant end, std::vector<GoroutineState> goroutines, std::uint64_t torn = 0) {
  const std::size_t count = goroutines.size();
  return {.begin = begin,
          .end = end,
          .torn = torn,
          .count = count,
          .state = [goroutines = std::move(goroutines)](std::size_t i) { return goroutines[i]; }};
}
inline Snapshot snapshot(std::int64_t begin_ms, std::int64_t end_ms, std::vector<GoroutineState> goroutines,
                         std::uint64_t torn = 0) {
  return snapshot(at(begin_ms), at(end_ms), std::move(goroutines), torn);
}

inline std::uint64_t count_of(const Ledger& ledger, Correction correction) {
  return ledger.totals().corrections[static_cast<std::size_t>(correction)];
}
// Of the kinds that mean lost knowledge.
inline std::uint64_t missed(const Ledger& ledger) {
  return count_of(ledger, Correction::missed_spawn) + count_of(ledger, Correction::missed_exit) +
         count_of(ledger, Correction::missed_park);
}

// The longest park of one creation site; each test that asks gives every goroutine a site of its own.
inline std::optional<ParkAge> park_of(const Ledger& ledger, CreationId creation) {
  for (const CreationView& view : ledger.creations()) {
    if (view.id == creation) return view.oldest;
  }
  return std::nullopt;
}

inline std::uint64_t blocked_count(const Ledger& ledger) {
  std::uint64_t count = 0;
  for (const BlockedView& view : ledger.blocked({})) count += view.count;
  return count;
}

}  // namespace goleakd::ledger
