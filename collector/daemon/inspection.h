// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "ledger/goroutine_dump.h"
#include "snapshot/channel_look.h"
#include "snapshot/memory.h"
#include "snapshot/snapshot.h"
#include "target/process.h"
#include "target/procfs.h"
#include "verdict/cancelled.h"

namespace goleakd::daemon {

// What is to be read beside a look at all goroutines.
struct Wanted {
  std::vector<std::uint64_t> goroutines;  // goids: what they wait on; at most Inspection::kMaxGoroutines
  std::vector<std::uint64_t> channels;    // addresses: what they hold, whether or not anybody waits on them
  std::vector<std::uint64_t> contexts;    // goids: whether a context that they use has ended; at most kMaxContexts
  bool locks = false;  // who holds the locks that others wait for (lock_graph.h); no part of an Inspection
  bool nothing() const { return goroutines.empty() && channels.empty() && contexts.empty(); }
};

// It, read right after that look.
struct Inspection {
  struct Seen {
    std::uint64_t goid = 0;
    ledger::ObjectDump object;  // of a select at most kMaxCases
  };
  static constexpr std::size_t kMaxGoroutines = 32;  // of one process at a time
  static constexpr std::size_t kMaxContexts = 256;   // likewise
  static constexpr std::size_t kMaxCases = 16;

  Wanted asked;
  Instant begin;
  Instant end;
  std::vector<Seen> seen;                       // those whose object could be read, and who had not moved since
  std::vector<snapshot::ChannelLook> channels;  // those that could be read
  std::vector<verdict::ContextLook> contexts;   // those of which one has
};

// The goroutines are those that the snapshot has picked. Reads on in the process's memory, and asks /proc about
// descriptors and system calls.
Inspection inspect(const target::GoProcess& process, const snapshot::Memory& memory, const target::Procfs& proc,
                   const snapshot::Snapshot& snapshot, Wanted wanted);

}  // namespace goleakd::daemon
