// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "snapshot/memory.h"
#include "snapshot/merged_read.h"

namespace goleakd::snapshot {

// Calls visit(index, bytes) for each address where `size` bytes can be read; 0 is no address. Some thousands at a time,
// so that a million cost no more memory than those. An error when nothing can be read any more: the process has ended,
// and what was visited before still counts.
template <typename Visit>
Result<void> read_each(const Memory& memory, std::span<const std::uint64_t> addresses, std::uint32_t size,
                       const Visit& visit) {
  constexpr std::size_t kChunk = 16384;
  MergedRead read;
  for (std::size_t begin = 0; begin < addresses.size(); begin += kChunk) {
    const auto chunk = addresses.subspan(begin, std::min(kChunk, addresses.size() - begin));
    read.clear();
    for (const std::uint64_t address : chunk) read.add(address, address == 0 ? 0 : size);
    if (auto ok = read.read(memory); !ok) return ok;
    for (std::size_t i = 0; i < chunk.size(); ++i) {
      if (const ByteSpan bytes = read[i]; !bytes.empty()) visit(begin + i, bytes);
    }
  }
  return {};
}

}  // namespace goleakd::snapshot
