// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "snapshot/channels.h"
#include "snapshot/goroutine_table.h"
#include "snapshot/memory.h"
#include "snapshot/unwinder.h"
#include "target/process.h"

namespace goleakd::snapshot {

// One goroutine with its stack, link-time pcs, innermost first.
struct Goroutine {
  RawGoroutine raw;
  std::vector<StackFrame>
      frames;  // empty for running goroutines, whose stack moves, and where it moved while it was read
  UnwindEnd end = UnwindEnd::broken;
  std::optional<Channel> channel;
  bool system = false;  // the runtime's own, as runtime.isSystemGoroutine tells
};

struct Snapshot {
  Instant begin;
  Instant end;
  std::vector<Goroutine> goroutines;
  std::uint64_t implausible = 0;  // a g that was not fit to be read, left out
  std::uint64_t moved = 0;        // stopped goroutines that went on while their stack was read: no frames
};

struct SnapshotOptions {
  std::size_t max_frames = 100;  // as the runtime's tracebacks
};

// Reads the goroutine table of a running process and the stacks of all that are stopped. Takes nothing from the process
// but its attention of the memory bus. invalid when too much of it is not what a goroutine table looks like.
Result<Snapshot> take_snapshot(const target::GoProcess& process, const Memory& memory,
                               const SnapshotOptions& options = {});

}  // namespace goleakd::snapshot
