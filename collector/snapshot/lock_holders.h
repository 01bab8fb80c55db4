// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "snapshot/memory.h"
#include "snapshot/snapshot.h"
#include "target/process.h"

namespace goleakd::snapshot {

// Which stopped goroutines may hold the locks that others wait for. The runtime does not know: nobody is written down
// as the holder of a sync.Mutex. But whoever is to release one must be able to name it, so a frame holds it whose
// function has passed code that locks and has code that unlocks still to come (target/lock_code.h), and which either
// has a word from which that code computes an address within the lock, or names a global lock itself. That a frame was
// found is a strong sign, not a proof; that none was found says nothing: the holder may be running, reach the lock by
// way of other objects, have locked it in a function that has returned, or have ended without unlocking.
//
// Of a wait group those are found likewise who are still to call Done.
struct LockHolders {
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  struct Lock {
    std::uint64_t address = 0;
    std::uint32_t bytes = 0;
    bool wait_group = false;
  };
  struct Hold {
    std::size_t goroutine = 0;  // index into the snapshot's
    std::size_t frame = 0;      // index into its stack's frames: the innermost that holds it
    std::uint32_t lock = 0;     // index into the locks
  };

  std::vector<Hold> holds;   // each goroutine and lock once
  std::uint64_t unread = 0;  // goroutines that might hold one, and could not be looked at
};

// Of a snapshot that was taken with its raw fields. `locks`: each once. `awaited`: as long as the snapshot's
// goroutines, which of the locks each waits for, or kNone. Reads the stacks of those whose frames may hold something,
// at most kMaxStackBytes in all.
inline constexpr std::uint64_t kMaxStackBytes = 64U << 20U;
LockHolders find_lock_holders(const target::GoProcess& process, const Memory& memory, const Snapshot& snapshot,
                              std::span<const LockHolders::Lock> locks, std::span<const std::uint32_t> awaited);

}  // namespace goleakd::snapshot
