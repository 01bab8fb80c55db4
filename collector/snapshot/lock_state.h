// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "target/layout.h"

namespace goleakd::snapshot {

// The locks of package sync as their bytes show them: each from as many as its layout's `size`, nothing from fewer.

struct MutexState {  // internal/sync/mutex.go, before Go 1.24 sync/mutex.go
  bool locked = false;
  bool woken = false;     // a waiter is on its way
  bool starving = false;  // handed from one to the next, in turn
  std::uint32_t waiters = 0;
};
std::optional<MutexState> decode_mutex(ByteSpan bytes, const target::MutexLayout& layout);

struct RwMutexState {                // sync/rwmutex.go
  bool writer = false;               // one holds it, or waits until the readers have left
  std::uint32_t readers = 0;         // hold it, or wait for that writer
  std::uint32_t readers_left = 0;    // that the writer waits for
  std::uint32_t writers_behind = 0;  // that wait for that writer
};
std::optional<RwMutexState> decode_rw_mutex(ByteSpan bytes, const target::RwMutexLayout& layout,
                                            const target::MutexLayout& mutex);

struct WaitGroupState {  // sync/waitgroup.go
  std::int32_t counter = 0;
  std::uint32_t waiters = 0;
};
std::optional<WaitGroupState> decode_wait_group(ByteSpan bytes, const target::WaitGroupLayout& layout);

}  // namespace goleakd::snapshot
