// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "snapshot/frame_pointers.h"
#include "snapshot/memory.h"
#include "target/layout.h"

namespace goleakd::snapshot {

// How many wait in a notifyList (src/runtime/sema.go): tickets given out and not called yet.
std::optional<std::uint32_t> decode_notify_list(ByteSpan bytes, const target::NotifyListLayout& layout);

// The sync.Cond that goroutines wait in, before Go 1.26, when nothing but a pointer in a frame names it. It counts only
// when that notifyList, from its head to its tail, really holds a sudog of the goroutine. 0 where none was found.
std::vector<std::uint64_t> find_conds(const Memory& memory, const target::Layout& layout,
                                      std::span<const Sought> waiting);

}  // namespace goleakd::snapshot
