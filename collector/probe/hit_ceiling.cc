// SPDX-License-Identifier: Apache-2.0
#include "probe/hit_ceiling.h"

namespace goleakd::probe {

std::optional<std::uint64_t> HitCeiling::exceeded(std::uint64_t hits, Instant now) {
  if (!window_start_) {
    window_start_ = now;
    hits_before_ = hits;
    return std::nullopt;
  }
  const Duration elapsed = now - *window_start_;
  if (elapsed < kWindow) return std::nullopt;
  const double seconds = std::chrono::duration<double>(elapsed).count();
  const auto rate = static_cast<std::uint64_t>(static_cast<double>(hits - hits_before_) / seconds);
  window_start_ = now;
  hits_before_ = hits;
  if (rate <= limit_) return std::nullopt;
  return rate;
}

}  // namespace goleakd::probe
