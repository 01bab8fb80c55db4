// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace goleakd {

// "*" stands for any text, everything else for itself: names of Go functions are full of what fnmatch(3) has a meaning
// for. An empty glob matches the empty text only.
bool matches_glob(std::string_view glob, std::string_view text);

}  // namespace goleakd
