// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/large_array.h"
#include "base/result.h"
#include "snapshot/memory.h"
#include "target/layout.h"

namespace goleakd::snapshot {

// runtime._Gidle … (src/runtime/runtime2.go), without the scan bit.
enum class GStatus : std::uint8_t {
  idle = 0,
  runnable = 1,
  running = 2,
  syscall = 3,
  waiting = 4,
  dead = 6,
  copystack = 8,
  preempted = 9,
  leaked = 10,     // Go 1.26 on: waiting, and found by the runtime's own leak profile
  deadextra = 11,  // Go 1.26 on
  none = 255,      // a word that is no status
};

// The fields of one g that goleakd reads, all from one read of the struct. Addresses are those of the running process.
struct RawGoroutine {
  std::uint64_t address = 0;  // of the g
  std::uint64_t goid = 0;
  std::uint64_t parent = 0;  // 0 when unknown (Go 1.19)
  GStatus status{};
  std::uint8_t wait_reason = 0;
  std::uint8_t tracking_seq = 0;
  std::uint64_t stack_lo = 0;
  std::uint64_t stack_hi = 0;
  std::uint64_t sched_sp = 0;
  std::uint64_t sched_pc = 0;
  std::uint64_t syscall_sp = 0;
  std::uint64_t syscall_pc = 0;
  std::uint64_t wait_since = 0;  // nanotime, 0 unless a garbage collection has stamped it
  std::uint64_t locked_m = 0;
  std::uint64_t gopc = 0;
  std::uint64_t startpc = 0;
  std::uint64_t waiting = 0;  // *sudog
  std::uint64_t labels = 0;   // pprof's
  std::uint64_t timer = 0;    // *timer
  std::uint64_t m = 0;        // *m, while it has a thread

  bool dead() const { return status == GStatus::idle || status == GStatus::dead || status == GStatus::deadextra; }
  // Where it goes on once it runs again. In a system call g.sched is not kept up to date.
  bool stopped_in_syscall() const { return status == GStatus::syscall && syscall_sp != 0; }
  std::uint64_t stop_pc() const { return stopped_in_syscall() ? syscall_pc : sched_pc; }
  std::uint64_t stop_sp() const { return stopped_in_syscall() ? syscall_sp : sched_sp; }
  bool blocked() const { return status == GStatus::waiting || status == GStatus::leaked; }
  // Same goroutine, not scheduled in between, so that its stack is the same too.
  bool same_stop(const RawGoroutine& other) const {
    return goid == other.goid && status == other.status && sched_sp == other.sched_sp && sched_pc == other.sched_pc &&
           syscall_sp == other.syscall_sp && tracking_seq == other.tracking_seq && wait_reason == other.wait_reason &&
           stack_hi == other.stack_hi;
  }
};

// Addresses of the g structs from number `from` on: runtime.allgs, a slice header at `allgs`, is only added to, and no
// g is ever freed. invalid when it does not look like a slice of pointers: the layout or the address is not this
// program's.
Result<LargeArray<std::uint64_t>> read_g_addresses(const Memory& memory, std::uint64_t allgs, std::size_t from = 0);

// The fields of a g from its `layout.size` bytes; all zero when they are fewer.
RawGoroutine decode_g(ByteSpan bytes, std::uint64_t address, const target::GLayout& layout);

// A live g obeys this; when many do not, the offsets are wrong and nothing read by them may be used.
bool plausible(const RawGoroutine& g);

}  // namespace goleakd::snapshot
