// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "snapshot/memory.h"

namespace goleakd::snapshot {

// Memory for lists and trees: only a node tells where the next one is, so nothing can be read in batches. But the nodes
// are of one size, which the runtime puts side by side; so a whole page of its heap (8 KiB) is read at a time and kept.
// A million waiters of one mutex cost some ten thousand reads so. Memory and time are bounded, whatever is asked.
class PageCache {
 public:
  // Borrows memory.
  explicit PageCache(const Memory& memory) : memory_(memory) {}

  // Empty when it can't be read, or too much has been read already. Good until the next call.
  ByteSpan read(std::uint64_t address, std::uint32_t size);

 private:
  static constexpr std::uint64_t kPage = 8192;
  static constexpr std::size_t kMaxKept = 16384;   // 128 MiB
  static constexpr std::size_t kMaxReads = 65536;  // 0.1 to 0.2 s

  using Page = std::array<std::uint8_t, kPage>;

  const Memory& memory_;
  std::unordered_map<std::uint64_t, Page> pages_;
  std::vector<std::uint8_t> apart_;
  std::size_t reads_ = 0;
};

}  // namespace goleakd::snapshot
