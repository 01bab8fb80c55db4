// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "ledger/goroutine_dump.h"
#include "ledger/input.h"
#include "ledger/site.h"

namespace goleakd::verdict {

// Who waits for which lock or wait group, and who may hold it, as one look at a process has found it
// (snapshot/lock_holders.h says how far holders are known).
struct LockGraph {
  struct Lock {
    ledger::ObjectDump object;  // without what is one waiter's own
    // Of a wait group: so many calls of Done it still waits for. Nothing of a lock, where its holder's unlock is
    // enough.
    std::optional<std::int64_t> counter;
  };
  struct Waiter {
    ledger::Goid goid = 0;
    std::size_t lock = 0;  // index into locks
    bool reads = false;    // of an RWMutex: it waits to lock it for reading
  };
  struct Holder {
    ledger::Goid goid = 0;
    std::size_t lock = 0;
    ledger::Frame frame;  // that has taken it, where it goes on; of a wait group: that is to call Done
  };

  Instant at;
  std::vector<Lock> locks;
  std::vector<Waiter> waiters;  // by goid
  std::vector<Holder> holders;
  std::uint64_t unread = 0;  // goroutines that might hold one, and could not be looked at
};

}  // namespace goleakd::verdict
