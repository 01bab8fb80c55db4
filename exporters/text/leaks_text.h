// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "verdict/report.h"

namespace goleakd::text {

struct LeaksQuery {
  std::optional<int> pid = {};  // of this process only
  bool suspects = true;
  bool color = false;  // ANSI escapes, for a terminal
  int stack_frames = 12;
};

// The leaks of every process for people, worst first, then one line for each process without any, which says how well
// it was looked at, and one for each that could not be watched. Never empty: nothing found is said too.
std::string leaks_text(const verdict::Report& report, const LeaksQuery& query);

}  // namespace goleakd::text
