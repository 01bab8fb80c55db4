// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "verdict/report.h"

namespace goleakd::daemon {

// Adds what was caught to what is known: the same ways are counted, most frequent first. Of more than some twenty those
// that were seen last are kept.
void add_caught(std::vector<verdict::CaughtStack>& known, const verdict::CaughtStack& one);

}  // namespace goleakd::daemon
