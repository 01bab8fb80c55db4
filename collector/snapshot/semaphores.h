// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <unordered_map>
#include <unordered_set>

#include "snapshot/memory.h"
#include "snapshot/page_cache.h"
#include "target/layout.h"

namespace goleakd::snapshot {

// The address of the semaphore that each g (by its address) waits on, from the trees of waiters that hang in
// runtime.semtable at `semtable` (src/runtime/sema.go). A node for another address than its tree is for is no node.
// Ends as soon as those of `sought` have been found: of a million waiters few are. Empty: nobody in particular is.
std::unordered_map<std::uint64_t, std::uint64_t> read_semaphore_waiters(const Memory& memory, PageCache& pages,
                                                                        const target::Layout& layout,
                                                                        std::uint64_t semtable,
                                                                        std::unordered_set<std::uint64_t> sought = {});

}  // namespace goleakd::snapshot
