// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "snapshot/goroutine_table.h"
#include "snapshot/memory.h"

namespace goleakd::snapshot {

// A goroutine in whose innermost frames there must be a pointer to what it waits on.
struct Sought {
  const RawGoroutine* g = nullptr;
  std::uint32_t stack = 0;  // goroutines with the same number were stopped at the same place
};

// Whether `address`, where `bytes` are, is what this goroutine waits on. Must be proof, not likelihood: it is asked
// about any word.
using IsTheObject = std::function<bool(const RawGoroutine& g, std::uint64_t address, ByteSpan bytes)>;

// For each of `sought` the address that `is_it` has found right, with `size` bytes there; 0 when there is none. The
// runtime keeps such pointers in its frames across the park, at a place that only the compiler knows: it is found in
// one goroutine of each stack by trying all words, and looked at first in the others.
std::vector<std::uint64_t> find_frame_pointers(const Memory& memory, std::span<const Sought> sought, std::uint32_t size,
                                               const IsTheObject& is_it);

}  // namespace goleakd::snapshot
