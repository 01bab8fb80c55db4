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

std::optional<std::int64_t> first_seen_ever(const Report& report, const std::string& leak_id) {
  if (report.history.first_seen == nullptr) return std::nullopt;
  const auto found = report.history.first_seen->find(leak_id);
  return found == report.history.first_seen->end() ? std::nullopt : std::optional(found->second);
}

void DurationHistogram::observe(double seconds) {
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    if (seconds <= kBounds[i]) ++cumulative[i];
  }
  ++count;
  sum += seconds;
}

}  // namespace goleakd::verdict
