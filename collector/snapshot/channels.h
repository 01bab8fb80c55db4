// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "snapshot/goroutine_table.h"
#include "snapshot/memory.h"

namespace goleakd::snapshot {

// What a channel held when it was read (src/runtime/chan.go, hchan).
struct Channel {
  std::uint64_t address = 0;
  std::uint64_t length = 0;
  std::uint64_t capacity = 0;
  bool closed = false;
};

// Nothing where it can't be one.
std::optional<Channel> decode_channel(ByteSpan bytes, std::uint64_t address, const target::HchanLayout& layout);

// The channel that each goroutine waits on, for those that wait in a single send or receive: g.waiting → sudog.c.
// Nothing where that is a select, another kind of wait, or memory that does not fit. As long as `goroutines`. An error
// when the process has ended.
Result<std::vector<std::optional<Channel>>> read_channels(const Memory& memory, const target::Layout& layout,
                                                          const std::vector<RawGoroutine>& goroutines);

}  // namespace goleakd::snapshot
