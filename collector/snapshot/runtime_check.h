// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>

#include "snapshot/goroutine_table.h"
#include "snapshot/memory.h"
#include "target/process.h"

namespace goleakd::snapshot {

// Whether the layout and the addresses that were found for a binary are those of this running program. Each capability
// hangs on structs of its own, so each is asked for by what must be true of them in live memory. Where one is not, its
// text says which, and nothing read through those structs may be used; nothing: all hold.
using Broken = std::optional<std::string>;

// A walk of the goroutine table: of every g that is alive, status, goid, stack bounds, wait reason, saved sp and pc,
// and start function. For layouts that were not taken from this very runtime.
Broken broken_walk(const target::GoProcess& process, std::span<const RawGoroutine> alive);

// What goroutines wait on: every g that waits on a channel has a sudog that names it, and a channel that can be one.
Broken broken_wait_objects(const target::GoProcess& process, const Memory& memory, std::span<const RawGoroutine> alive);

// A proof: every span of the heap says where it is and how it is divided, and the goroutines' own structs lie in some.
Broken broken_heap(const target::GoProcess& process, const Memory& memory, std::span<const RawGoroutine> alive);

}  // namespace goleakd::snapshot
