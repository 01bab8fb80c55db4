// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace goleakd::snapshot {

inline constexpr std::uint64_t kUserSpaceEnd = 1ULL << 47U;

// It may be the address of something with words in it.
constexpr bool is_pointer(std::uint64_t word) { return word >= 4096 && word < kUserSpaceEnd && word % 8 == 0; }

// The header of a Go slice, as memory holds it.
struct SliceHeader {
  std::uint64_t data = 0;
  std::uint64_t length = 0;
  std::uint64_t capacity = 0;

  // It has something in it, and not more than `most` elements.
  bool plausible(std::uint64_t most) const { return length != 0 && length <= capacity && length <= most; }
  bool operator==(const SliceHeader&) const = default;
};

}  // namespace goleakd::snapshot
