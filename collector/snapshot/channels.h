// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "snapshot/goroutine_table.h"
#include "snapshot/memory.h"
#include "snapshot/merged_read.h"
#include "snapshot/wait_kind.h"

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

// Reads the channel that each goroutine waits on, for those that wait in a single send or receive: g.waiting → sudog.c.
// Its buffers are kept from one use to the next.
class ChannelReader {
 public:
  // Borrows.
  explicit ChannelReader(const target::Layout& layout) : layout_(layout), kinds_(wait_kinds(layout)) {}

  // Nothing where it is a select, another kind of wait, or memory that does not fit. As long as `goroutines`, and good
  // until the next call. An error when the process has ended.
  Result<std::span<const std::optional<Channel>>> read(const Memory& memory, std::span<const RawGoroutine> goroutines);

 private:
  const target::Layout& layout_;
  WaitKinds kinds_;
  MergedRead reads_;
  std::vector<std::size_t> waiting_;  // of the goroutines
  std::vector<std::uint64_t> addresses_;
  std::vector<std::optional<Channel>> channels_;
};

}  // namespace goleakd::snapshot
