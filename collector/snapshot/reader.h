// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/result.h"
#include "snapshot/goid_set.h"
#include "snapshot/memory.h"
#include "snapshot/snapshot.h"
#include "target/process.h"

namespace goleakd::snapshot {

struct SnapshotOptions {
  std::size_t max_frames = 100;  // as the runtime's tracebacks
  bool stacks = true;
  bool raw = false;  // keep every g's fields: Snapshot::raw
  GoidSet pick;      // keep those of these goroutines, where they are met: Snapshot::picked
  // Where goroutines that were running stood, by address of the g, when that is known (a core file): pc and sp.
  std::map<std::uint64_t, UnwindStart> running;
  // From so many g structs on a second thread helps, where there are two processors: then less time passes between the
  // first and the last look.
  std::size_t help_from = 100'000;
  // Told now and then, by the caller's thread, how far it is. Returning false gives up: the snapshot is an error of
  // kind gone.
  std::function<bool(std::size_t done, std::size_t all)> progress;
};

// Reads the goroutine table of one process again and again, and remembers so much of it that a goroutine that stands
// still costs no second look at its stack. One thread at a time. Takes nothing from the process but its share of the
// memory bus. `memory` must bear two threads.
class Reader {
 public:
  // Borrows memory.
  Reader(std::shared_ptr<const target::GoProcess> process, const Memory& memory);
  ~Reader();

  // invalid when it is not what a goroutine table looks like, with the invariant that failed.
  Result<Snapshot> take(const SnapshotOptions& options = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace goleakd::snapshot
