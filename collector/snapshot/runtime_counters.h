// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "base/result.h"
#include "snapshot/memory.h"
#include "target/process.h"

namespace goleakd::snapshot {

// What the Go runtime counts anyway, so that goleakd knows how often a probe would be hit before it places one. Both
// numbers are totals since the program began. Nothing where the runtime's variable was not found, or where nothing
// tells whether the layout has the field in the right place: never a guess.
struct RuntimeCounters {
  Instant at;  // when reading began

  // Goroutines started, the runtime's own and coroutines (iter.Pull) included: calls of newproc1 (src/runtime/proc.go).
  // From Go 1.26 on it is exact: sched.goroutinesCreated, which has those of Ps that are no more, and
  // p.goroutinesCreated. Before, and where the layout is only the nearest, it is sched.goidgen without what each P has
  // not used of the 16 ids that it takes at a time: exact while nothing is spawned. In the instant in which a P takes
  // its ids they count as used, so that a sum may exceed a later one by up to 16 for each P. Extra Ms (for C threads
  // that call Go) take an id each too.
  std::optional<std::uint64_t> spawned;

  // Transitions of goroutines into running: 8 (gTrackingPeriod) times what sched.timeToRun holds (casgstatus,
  // src/runtime/proc.go), which has every eighth of each goroutine. A goroutine begins at a random one of the eight, so
  // the sum is right in the mean: off by at most 8 for one that goes on, by about 2.6 √n for n that run once each.
  // Every park ends a run, so it bounds parks and unparks from above. It has more than those:
  //  - the first run of each goroutine: scheduled - spawned still bounds unparks. One that reuses the g of another adds
  //    up to 15/8, not 1, since the mark for the next run that the other ended with stays (measured on goroutines that
  //    never block: 1.85 to 1.88);
  //  - preemptions, Gosched, and goroutines that help or wait for the garbage collector;
  //  - up to Go 1.25 every system call and call of C (_Grunning → _Gsyscall and back); since 1.26 those do not count.
  // It lacks coroswitch (iter.Pull), which changes the status by itself, and passes neither gopark nor ready.
  std::optional<std::uint64_t> scheduled;
};

// Some microseconds: four system calls, more only while GOMAXPROCS or (before Go 1.26) sched.goidgen changes. Errors as
// those of Memory; invalid, with the variable's name, where the program's memory can't be what a Go runtime has there.
Result<RuntimeCounters> read_runtime_counters(const target::GoProcess& process, const Memory& memory);

struct Rates {
  std::optional<double> spawns_per_s;
  std::optional<double> switches_per_s;  // of RuntimeCounters::scheduled
};

// Of one process. Nothing when no time has passed, where one of the two does not know, and where the later is smaller:
// another program took the pid, or a P took its ids just then.
Rates rates_between(const RuntimeCounters& earlier, const RuntimeCounters& later);

}  // namespace goleakd::snapshot
