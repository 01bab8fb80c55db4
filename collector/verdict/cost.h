// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "base/clock.h"
#include "verdict/leak.h"
#include "verdict/process_facts.h"

namespace goleakd::verdict {

// What a leak costs its process, by its stacks alone: what they keep alive in the heap comes on top.
struct Cost {
  std::optional<double> share;   // of the resident memory; 1 is all of it
  std::optional<Duration> left;  // until the memory is full, at this rate; none when it does not grow, or in a year
};

Cost cost_of(const Leak& leak, const ProcessFacts& process);

}  // namespace goleakd::verdict
