// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "ledger/ledger.h"
#include "verdict/leak.h"
#include "verdict/lock_graph.h"

namespace goleakd::verdict {

// Who may hold the locks that these goroutines wait for, each once, in no order: of those who have not moved since the
// graph was read. Nothing when none of them was seen to wait for one; empty when nobody was found.
std::optional<std::vector<LockHolder>> held_by(const LockGraph& graph, const ledger::Ledger& ledger,
                                               std::span<const ledger::Goid> waiters);

// What a lock is held over, where that is not another lock: lock_held_over_channel, lock_held_over_io. As `otherwise`
// where it is not known.
Cause cause_by_holders(const std::vector<LockHolder>& holders, Cause otherwise);

}  // namespace goleakd::verdict
