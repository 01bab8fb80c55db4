// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "ledger/goroutine_dump.h"
#include "snapshot/memory.h"
#include "snapshot/snapshot.h"
#include "target/process.h"
#include "target/procfs.h"

namespace goleakd::daemon {

// What a few goroutines wait on, read right after a look at all of them.
struct Inspection {
  struct Seen {
    std::uint64_t goid = 0;
    ledger::ObjectDump object;  // of a select at most kMaxCases
  };
  static constexpr std::size_t kMaxGoroutines = 32;  // of one process at a time
  static constexpr std::size_t kMaxCases = 16;

  std::vector<std::uint64_t> asked;  // goids of those who were to be looked at
  Instant begin;
  Instant end;
  std::vector<Seen> seen;  // those whose object could be read, and who had not moved since
};

// Of those that the snapshot has picked. Reads on in the process's memory, and asks /proc about descriptors and system
// calls.
Inspection inspect(const target::GoProcess& process, const snapshot::Memory& memory, const target::Procfs& proc,
                   const snapshot::Snapshot& snapshot);

}  // namespace goleakd::daemon
