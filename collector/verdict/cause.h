// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "verdict/group.h"
#include "verdict/leak.h"

namespace goleakd::verdict {

// Told from the evidence, the wait, the state of the channels, and where the runtime's wait reason is too coarse, from
// the stack.
Cause cause_of(const Group& group, Evidence evidence);

}  // namespace goleakd::verdict
