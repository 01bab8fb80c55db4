// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "snapshot/channel_waits.h"
#include "snapshot/lock_state.h"
#include "snapshot/memory.h"
#include "snapshot/poll_descriptor.h"
#include "snapshot/snapshot.h"
#include "target/process.h"

namespace goleakd::snapshot {

// What a goroutine waits on, as it was in memory. Addresses are those of the running process.

struct ChannelWait {
  std::uint32_t channel = 0;  // index into WaitObjects::channels
  ChannelSide side{};
};
struct SelectWait {
  std::vector<ChannelWait> cases;  // by address of the channel; those with a nil channel leave no trace
};
struct MutexWait {
  std::uint64_t address = 0;
  MutexState state;
};
struct RwMutexWait {
  std::uint64_t address = 0;
  bool write = false;  // waits to lock it for writing, else for reading
  RwMutexState state;
};
struct WaitGroupWait {
  std::uint64_t address = 0;
  WaitGroupState state;
};
struct CondWait {
  std::uint64_t address = 0;
  std::uint32_t waiters = 0;
};
struct SemaphoreWait {  // of none of the above: the runtime's own, internal/poll's locks of a descriptor
  std::uint64_t address = 0;
  std::uint32_t value = 0;
  std::uint64_t waiters = 0;  // among the goroutines of the snapshot
};
struct SleepWait {
  std::uint64_t timer = 0;  // address
  Duration left{};          // from the snapshot's begin; negative: overdue
};
struct SyscallWait {
  std::uint64_t thread = 0;  // as the process knows it: in its own pid namespace
};

using WaitObject = std::variant<std::monostate, ChannelWait, SelectWait, MutexWait, RwMutexWait, WaitGroupWait,
                                CondWait, SemaphoreWait, SleepWait, PollDescriptor, SyscallWait>;

struct WaitObjects {
  struct NamedChannel {
    ChannelState state;
    std::string element;  // its type, empty when not known
  };
  std::vector<WaitObject> of;          // as long as the snapshot's goroutines; monostate: none, or not known
  std::vector<NamedChannel> channels;  // each once
};

// Of a snapshot that was taken with its raw fields. Whatever does not prove itself (a sudog that names this very g, a
// list that holds it) is left out, and so is a goroutine that has moved since the snapshot.
WaitObjects read_wait_objects(const target::GoProcess& process, const Memory& memory, const Snapshot& snapshot);

// Which of them are still stopped where the snapshot saw them, and on the same thread.
std::vector<bool> still_stopped(const target::Layout& layout, const Memory& memory,
                                std::span<const RawGoroutine> goroutines);

}  // namespace goleakd::snapshot
