// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "snapshot/frame_pointers.h"
#include "snapshot/memory.h"
#include "target/layout.h"

namespace goleakd::snapshot {

// What the network poller watches for a goroutine (src/runtime/netpoll.go).
struct PollDescriptor {
  std::uint64_t address = 0;  // of the pollDesc; 0: not found
  std::uint64_t fd = 0;
  bool write = false;  // waits to write, else to read
};

// Of goroutines in "IO wait", whose frames hold a pointer to the pollDesc. It counts only when that names the goroutine
// as the one that waits to read or to write.
std::vector<PollDescriptor> find_poll_descriptors(const Memory& memory, const target::Layout& layout,
                                                  std::span<const Sought> waiting);

}  // namespace goleakd::snapshot
