// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include "snapshot/goid_set.h"
#include "snapshot/snapshot.h"

namespace goleakd::snapshot {

// Those of the picked goroutines as a snapshot of their own, with its raw fields: what is asked of that is asked of
// them alone. It has no births.
Snapshot snapshot_of_picked(const Snapshot& all, const GoidSet& which);
// Likewise of those with the given indices, of a snapshot that was taken with its raw fields.
Snapshot snapshot_of(const Snapshot& all, std::span<const std::size_t> numbers);

}  // namespace goleakd::snapshot
