// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace goleakd {

// How fast a total grows, a second. Nothing when no time has passed, where one of the two is not known, and where the
// later is smaller: it was read while it moved, or belongs to another.
inline std::optional<double> rate(const std::optional<std::uint64_t>& earlier,
                                  const std::optional<std::uint64_t>& later, Duration elapsed) {
  if (!earlier || !later || *later < *earlier || elapsed <= Duration::zero()) return std::nullopt;
  return static_cast<double>(*later - *earlier) / std::chrono::duration<double>(elapsed).count();
}

}  // namespace goleakd
