// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/snapshot.h"

namespace goleakd::snapshot {

// The picked goroutines as a snapshot of their own, with its raw fields: what is asked of that is asked of them alone.
// It has no births.
Snapshot snapshot_of_picked(const Snapshot& all);

}  // namespace goleakd::snapshot
