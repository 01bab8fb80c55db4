// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "snapshot/channels.h"
#include "snapshot/goroutine_table.h"
#include "snapshot/memory.h"
#include "snapshot/wait_kind.h"
#include "target/layout.h"

namespace goleakd::snapshot {

// A channel that somebody waits on.
struct ChannelState {
  Channel channel;
  std::uint64_t element_type = 0;  // address of its _type
  std::uint64_t senders = 0;       // queued, selects included
  std::uint64_t receivers = 0;
  bool more = false;  // are queued than were counted: too many to follow
};

enum class ChannelSide : std::uint8_t {
  unknown,  // a select whose place in the queues changed while they were read
  send,
  receive,
};

// One goroutine waits on one channel; in a select on several.
struct ChannelUse {
  std::uint32_t goroutine = 0;  // index
  std::uint32_t channel = 0;    // index into ChannelWaits::channels
  ChannelSide side{};
};

struct ChannelWaits {
  std::vector<ChannelState> channels;  // each once
  std::vector<ChannelUse> uses;        // by goroutine; a select's in the order of the channels' addresses
};

// Of the goroutines whose kind (as long as `goroutines`) is one of channels. Which side of a channel a case of a select
// is on, nothing says but the queue that its sudog is in: so the queues are walked, each sudog once.
ChannelWaits read_channel_waits(const Memory& memory, const target::Layout& layout,
                                std::span<const RawGoroutine> goroutines, std::span<const WaitKind> kinds);

}  // namespace goleakd::snapshot
