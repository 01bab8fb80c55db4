// SPDX-License-Identifier: Apache-2.0
#include "snapshot/picked.h"

#include <cstdint>

namespace goleakd::snapshot {

Snapshot snapshot_of_picked(const Snapshot& all) {
  Snapshot few;
  few.begin = all.begin;
  few.end = all.end;
  few.stacks.push_back(all.stacks.front());
  few.births.resize(1);
  for (const PickedGoroutine& picked : all.picked) {
    Goroutine goroutine = picked.goroutine;
    goroutine.birth = 0;
    goroutine.stack = static_cast<std::uint32_t>(few.stacks.size());
    few.stacks.push_back(all.stacks[picked.goroutine.stack]);
    few.goroutines.push_back(goroutine);
    few.raw.push_back(picked.raw);
  }
  return few;
}

}  // namespace goleakd::snapshot
