// SPDX-License-Identifier: Apache-2.0
#include "verdict/report.h"

namespace goleakd::verdict {

std::string_view to_string(Mode mode) {
  switch (mode) {
    case Mode::events:
      return "events";
    case Mode::snapshots:
      return "snapshots";
  }
  return "snapshots";
}

void DurationHistogram::observe(double seconds) {
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    if (seconds <= kBounds[i]) ++cumulative[i];
  }
  ++count;
  sum += seconds;
}

}  // namespace goleakd::verdict
