// SPDX-License-Identifier: Apache-2.0
#include "history/life.h"

#include <array>

namespace goleakd::history {
namespace {

constexpr std::array kStages{LifeStage::leaking, LifeStage::resolved, LifeStage::gone};

}  // namespace

std::string_view to_string(LifeStage stage) {
  switch (stage) {
    case LifeStage::leaking:
      return "leaking";
    case LifeStage::resolved:
      return "resolved";
    case LifeStage::gone:
      return "gone";
  }
  return "gone";
}

std::optional<LifeStage> life_stage(std::string_view word) {
  for (const LifeStage stage : kStages) {
    if (to_string(stage) == word) return stage;
  }
  return std::nullopt;
}

LifeStage next_stage(LifeStage now, const Sighting& seen) {
  if (seen.told == verdict::Stage::leaking) return LifeStage::leaking;
  if (now != LifeStage::leaking) return now;  // a suspicion must be confirmed first, as that of a new leak
  if (seen.told == verdict::Stage::resolved) return LifeStage::resolved;
  if (seen.told == verdict::Stage::suspect) return now;
  if (!seen.lives) return LifeStage::gone;
  // A daemon that came later may never hear of a leak that has stopped growing. Its goroutines are there as long as the
  // rule of verdicts says so: more than half of the peak.
  if (seen.site_live && 2 * *seen.site_live < seen.peak) return LifeStage::resolved;
  return now;
}

}  // namespace goleakd::history
