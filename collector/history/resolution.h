// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "base/clock.h"

namespace goleakd::history {

// Wall time as history keeps it: seconds since the Unix epoch.
using Seconds = std::int64_t;

// Samples of `step` seconds each are kept until they are `keep` seconds old; then they are rolled up into the next
// tier's, or end.
struct Tier {
  Seconds step = 0;
  Seconds keep = 0;
};

// Finest first. 1 min for a day, 10 min for a week, 1 h for a year, where `interval` is 1 min; else steps of 1, 10 and
// 60 times that for the same times. At least a second.
using Tiers = std::array<Tier, 3>;
Tiers tiers(Duration interval);

// The begin of the step that `at` is in.
constexpr Seconds step_begin(Seconds at, Seconds step) { return at - at % step; }

}  // namespace goleakd::history
