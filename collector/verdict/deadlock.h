// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "verdict/lock_graph.h"

namespace goleakd::verdict {

// Goroutines that wait for each other, so that none of them can go on.
struct Deadlock {
  struct Member {
    std::size_t waiter = 0;            // index into LockGraph::waiters
    std::vector<std::size_t> holders;  // indices into LockGraph::holders: what it holds of what the others wait for
  };
  std::vector<Member> members;       // by goid
  std::vector<ledger::Goid> behind;  // who waits for what they hold, and is none of them
};

// Whoever waits is stuck for good when everybody who may let it go on is: of a lock all that may hold it, and there is
// one; of a wait group at least as many as it still counts on. Where somebody who may hold the lock is not stuck, or
// nobody is known to, nothing is said: time alone is no deadlock. Of those who are stuck for good, the cycles are told.
// `stuck`: it has been in this very park for long enough.
std::vector<Deadlock> find_deadlocks(const LockGraph& graph, const std::function<bool(ledger::Goid)>& stuck);

}  // namespace goleakd::verdict
