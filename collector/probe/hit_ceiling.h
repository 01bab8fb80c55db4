// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace goleakd::probe {

// A plain ceiling on how often a target's probes may be hit: each hit is paid by the application. Fed with the
// ever-growing count of hits; says when the rate over a window was too high.
class HitCeiling {
 public:
  static constexpr Duration kWindow = std::chrono::milliseconds(200);

  explicit HitCeiling(std::uint64_t hits_per_second) : limit_(hits_per_second) {}

  // The rate, in hits per second, when the window that ends now was above the ceiling; else nothing.
  std::optional<std::uint64_t> exceeded(std::uint64_t hits, Instant now);

 private:
  std::uint64_t limit_;
  std::uint64_t hits_before_ = 0;
  std::optional<Instant> window_start_;
};

}  // namespace goleakd::probe
