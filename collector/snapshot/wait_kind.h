// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "target/layout.h"

namespace goleakd::snapshot {

// What kind of object a wait reason tells of. Before Go 1.20 locks are semaphores to the runtime, before 1.24 wait
// groups are: there the frames tell (semaphore_site.h).
enum class WaitKind : std::uint8_t {
  none,  // no object: a nil channel, a select without cases, the runtime's own business
  channel_send,
  channel_receive,
  select,
  mutex,
  rw_mutex_read,
  rw_mutex_write,
  wait_group,
  semaphore,
  cond,
  sleep,
  io,
};

// From the text of runtime.waitReason (src/runtime/runtime2.go), with or without what testing/synctest adds to it
// ("chan receive (durable)").
WaitKind wait_kind(std::string_view reason);
// By the number of the reason.
using WaitKinds = std::array<WaitKind, 256>;
WaitKinds wait_kinds(const target::Layout& layout);

constexpr bool on_channels(WaitKind kind) {
  return kind == WaitKind::channel_send || kind == WaitKind::channel_receive || kind == WaitKind::select;
}
constexpr bool on_semaphore(WaitKind kind) { return kind >= WaitKind::mutex && kind <= WaitKind::semaphore; }

}  // namespace goleakd::snapshot
