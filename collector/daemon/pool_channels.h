// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/inspection.h"
#include "verdict/stalls.h"

namespace goleakd::daemon {

// Passes on what an inspection has seen of the channels of pools: what they hold, and which of them selects receive
// from.
void tell_stalls(const Inspection& inspection, verdict::Stalls& stalls);

}  // namespace goleakd::daemon
