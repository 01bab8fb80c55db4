// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "snapshot/memory.h"
#include "snapshot/snapshot.h"
#include "target/process.h"

namespace goleakd::snapshot {

// A context.Context that a stopped goroutine still uses, and that has ended.
struct EndedContext {
  std::size_t goroutine = 0;  // index into the snapshot's
  std::size_t frame = 0;      // index into its stack's frames: the innermost that holds one
  bool deadline = false;      // it has passed its deadline; else it was cancelled
};

// Of a snapshot that was taken with its raw fields, each goroutine once at most. Looked at are the words of its frames
// that are live where it stands (target/stack_maps.h): an interface context.Context, a pointer to a struct that begins
// with one, or the closure that the frame runs, with what that has captured and its code uses. So what a worker has
// kept of its last job does not count. A context counts as ended when its own channel, or that of one that it comes
// from, is closed; types other than those of packages context and os/signal are not looked into. That none was found
// says nothing.
std::vector<EndedContext> find_ended_contexts(const target::GoProcess& process, const Memory& memory,
                                              const Snapshot& snapshot);

}  // namespace goleakd::snapshot
