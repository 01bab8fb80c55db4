// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "snapshot/channels.h"
#include "snapshot/memory.h"
#include "target/layout.h"

namespace goleakd::snapshot {

// What a channel whose address is known held when it was looked at, whether or not anybody waits on it.
struct ChannelLook {
  Channel channel;
  std::uint64_t receive_index = 0;  // slot of the buffer that the next receive takes: stands still while nobody does
  std::string element;              // the name of its elements' type
  bool senders = false;             // somebody waits to send, selects included
  bool receivers = false;
};

// Of channels that were seen at these addresses once, in their order. What stands there now need not be a channel any
// more: whatever has no type of the program's for its elements, or impossible contents, is left out. `firstmoduledata`
// is a run-time address (TypeNames).
std::vector<ChannelLook> look_at_channels(const Memory& memory, const target::Layout& layout,
                                          std::uint64_t firstmoduledata, std::span<const std::uint64_t> addresses);

}  // namespace goleakd::snapshot
