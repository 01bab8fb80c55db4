// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "snapshot/wait_kind.h"

namespace goleakd::snapshot {

// Where in package sync a goroutine waits on a semaphore.
struct SemaphoreSite {
  WaitKind kind = WaitKind::semaphore;
  bool behind_writer = false;  // rw_mutex_write: at the mutex that writers hold, not for readers to leave
};

// From the names of its logical frames, innermost first. What they do not tell (there are none) is as its wait reason
// says. RWMutex.Lock takes the lock's own Mutex first: the runtime calls that a wait for a Mutex, which is right but
// tells nobody what is locked.
SemaphoreSite semaphore_site(std::span<const std::string_view> functions, WaitKind reason);

}  // namespace goleakd::snapshot
