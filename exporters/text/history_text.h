// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "history/view.h"

namespace goleakd::text {

// What a history file tells for people, read at `now`: every leak that was ever found, those that are there first, then
// slow ones that restarts hide. Never empty. `color`: ANSI escapes, for a terminal.
std::string history_text(const history::View& view, history::Seconds now, bool color);

// "▁▂▄▇ ▇█": the counts in columns of equal width, as parts of the largest; a space where nobody looked.
std::string plot(const std::vector<history::Count>& counts);

}  // namespace goleakd::text
