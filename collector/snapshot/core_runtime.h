// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "snapshot/core_notes.h"
#include "snapshot/memory.h"
#include "snapshot/unwinder.h"
#include "target/process.h"

namespace goleakd::snapshot {

// What a core tells of a Go program beyond what can be read of a live one.
struct CoreRuntime {
  // Where goroutines stood that were running, by address of the g. Those of which nothing tells are not in it.
  std::map<std::uint64_t, UnwindStart> running;
  // The newest reading of nanotime() that the runtime has kept; the program ended then or later. sched.lastpoll: 10 ms
  // before while anything ran, 0 while a thread waits for the network. Else the start of the last garbage collection
  // (g.waitsince of the runtime's own goroutines), which is forced every two minutes unless GOGC=off. 0: neither.
  Instant died;
};

// Where the threads are, and for those in a signal handler also where it struck; by sp.
std::vector<CoreNotes::Thread> places_of(const Memory& memory, std::span<const CoreNotes::Thread> threads);

// invalid when runtime.allgs is no list of goroutines.
Result<CoreRuntime> read_core_runtime(const target::GoProcess& process, const Memory& memory,
                                      std::span<const CoreNotes::Thread> threads);

}  // namespace goleakd::snapshot
