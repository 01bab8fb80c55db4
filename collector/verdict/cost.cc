// SPDX-License-Identifier: Apache-2.0
#include "verdict/cost.h"

#include <algorithm>
#include <chrono>

namespace goleakd::verdict {

Cost cost_of(const Leak& leak, const ProcessFacts& process) {
  using Hours = std::chrono::duration<double, std::ratio<3600>>;
  constexpr Hours kYear = std::chrono::days(365);
  Cost cost;
  if (leak.count == 0) return cost;
  const auto bytes = static_cast<double>(leak.bytes);
  if (process.resident_bytes > 0) cost.share = std::min(1.0, bytes / static_cast<double>(process.resident_bytes));
  if (process.memory_limit_bytes == 0 || leak.growth_per_hour <= 0) return cost;
  const std::uint64_t free = process.memory_limit_bytes - std::min(process.resident_bytes, process.memory_limit_bytes);
  const double bytes_per_hour = leak.growth_per_hour * bytes / static_cast<double>(leak.count);
  if (bytes_per_hour <= 0) return cost;
  const Hours left(static_cast<double>(free) / bytes_per_hour);
  if (left < kYear) cost.left = std::chrono::duration_cast<Duration>(left);
  return cost;
}

}  // namespace goleakd::verdict
