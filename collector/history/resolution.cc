// SPDX-License-Identifier: Apache-2.0
#include "history/resolution.h"

#include <algorithm>
#include <chrono>

namespace goleakd::history {

Tiers tiers(Duration interval) {
  constexpr Seconds kDay = Seconds{24} * 60 * 60;
  const Seconds finest = std::max<Seconds>(std::chrono::duration_cast<std::chrono::seconds>(interval).count(), 1);
  return {{{.step = finest, .keep = kDay},
           {.step = 10 * finest, .keep = 7 * kDay},
           {.step = 60 * finest, .keep = 365 * kDay}}};
}

}  // namespace goleakd::history
