// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "verdict/group.h"
#include "verdict/leak.h"

namespace goleakd::verdict {

// Goroutines that Go's own packages start or hold up: what they wait on is the packages' business, and what a program
// has forgotten is known by where they stand. None: not one of those.
std::optional<Cause> library_cause(const Group& group);

}  // namespace goleakd::verdict
