// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace goleakd::verdict {

// What the engine must know of the process beside its goroutines.
struct ProcessFacts {
  Instant started;  // of the process
  std::uint64_t resident_bytes = 0;
  std::uint64_t memory_limit_bytes = 0;  // cgroup limit, else the machine's memory; 0 unknown
};

}  // namespace goleakd::verdict
