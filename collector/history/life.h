// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "verdict/leak.h"

namespace goleakd::history {

// How a leak stands over all processes of its service, and over all runs of goleakd. A life cycle begins when a leak is
// leaking for the first time, and never goes back to a suspicion: a daemon that has just begun suspects what the one
// before it knew.
enum class LifeStage : std::uint8_t {
  leaking,
  resolved,  // its goroutines have ended, and the process lives on
  gone,      // the processes in which it was have ended, or are not watched any more
};

std::string_view to_string(LifeStage stage);
// Nothing when it is no such word.
std::optional<LifeStage> life_stage(std::string_view word);

// What one look says of a leak that has a life cycle.
struct Sighting {
  std::optional<verdict::Stage> told =
      {};              // by the verdicts on any process that is watched now, the worst; nothing: by none
  bool lives = false;  // some process in which it was seen leaking is still watched
  // Goroutines that the `go` statement has in those now; nothing when that is not known (yet).
  std::optional<std::uint64_t> site_live = {};
  std::uint64_t peak = 0;  // of the leak in those
};

LifeStage next_stage(LifeStage now, const Sighting& seen);

}  // namespace goleakd::history
