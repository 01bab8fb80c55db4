// SPDX-License-Identifier: Apache-2.0
#include "snapshot/picked.h"

#include <cstdint>

namespace goleakd::snapshot {
namespace {

Snapshot none_of(const Snapshot& all) {
  Snapshot few;
  few.begin = all.begin;
  few.end = all.end;
  few.stacks.push_back(all.stacks.front());
  few.births.resize(1);
  return few;
}

void add(Snapshot& few, const Snapshot& all, Goroutine goroutine, const RawGoroutine& raw) {
  few.stacks.push_back(all.stacks[goroutine.stack]);
  goroutine.birth = 0;
  goroutine.stack = static_cast<std::uint32_t>(few.stacks.size() - 1);
  few.goroutines.push_back(goroutine);
  few.raw.push_back(raw);
}

}  // namespace

Snapshot snapshot_of_picked(const Snapshot& all, const GoidSet& which) {
  Snapshot few = none_of(all);
  for (const PickedGoroutine& picked : all.picked) {
    if (which.contains(picked.goroutine.goid)) add(few, all, picked.goroutine, picked.raw);
  }
  return few;
}

Snapshot snapshot_of(const Snapshot& all, std::span<const std::size_t> numbers) {
  Snapshot few = none_of(all);
  for (const std::size_t number : numbers) add(few, all, all.goroutines[number], all.raw[number]);
  return few;
}

}  // namespace goleakd::snapshot
