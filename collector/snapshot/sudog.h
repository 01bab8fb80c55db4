// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "snapshot/goroutine_table.h"
#include "snapshot/memory.h"
#include "target/layout.h"

namespace goleakd::snapshot {

// A goroutine in the queue of what it waits on (src/runtime/runtime2.go).
struct Sudog {
  std::uint64_t address = 0;
  std::uint64_t g = 0;
  std::uint64_t next = 0;  // in a channel's queue and a notifyList; the right child in the tree of a semaRoot
  std::uint64_t prev = 0;  // the left child there
  std::uint64_t elem = 0;  // the semaphore, or a channel operation's value
  std::uint64_t waitlink = 0;
  std::uint64_t c = 0;  // channel
  bool is_select = false;
};

// From the struct's bytes.
Sudog decode_sudog(ByteSpan bytes, std::uint64_t address, const target::SudogLayout& layout);

struct WaitingSudog {
  std::uint32_t goroutine = 0;  // index
  Sudog sudog;
};

// Those that goroutines hang in: g.waiting, and in a select on along waitlink, one for each case. Only of goroutines of
// which `wanted` says so; in their order. Each says whose it is: one that has been freed and used again says another g,
// and its list is left out, as is one that goes in circles.
std::vector<WaitingSudog> read_waiting_sudogs(const Memory& memory, const target::SudogLayout& layout,
                                              std::span<const RawGoroutine> goroutines,
                                              const std::vector<bool>& wanted);

}  // namespace goleakd::snapshot
