// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "snapshot/memory.h"

namespace goleakd::snapshot {

inline constexpr std::uint64_t kMaxLabels = 100;

struct RawText {  // a Go string
  std::uint64_t data = 0;
  std::uint64_t length = 0;
};
struct RawLabel {
  RawText key;
  RawText value;
};

// The cells of the map[string]string that each address points to: pprof's labels before Go 1.24. None where it can't be
// read whole. As long as `addresses`.
std::vector<std::vector<RawLabel>> read_label_maps(const Memory& memory, std::span<const std::uint64_t> addresses);

}  // namespace goleakd::snapshot
