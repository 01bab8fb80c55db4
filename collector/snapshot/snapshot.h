// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/large_array.h"
#include "snapshot/goroutine_table.h"
#include "snapshot/unwinder.h"

namespace goleakd::snapshot {

// A stack that some goroutines share: link-time pcs, innermost first.
struct Stack {
  std::vector<StackFrame> frames;
  UnwindEnd end = UnwindEnd::broken;
  bool operator==(const Stack&) const = default;
};

// Where goroutines were created, at run-time addresses.
struct Birth {
  std::uint64_t gopc = 0;     // after the `go` statement's call
  std::uint64_t startpc = 0;  // entry of what it calls
  bool operator==(const Birth&) const = default;
};

// One goroutine as one snapshot saw it. There may be millions: what many share is kept once (stack, birth).
struct Goroutine {
  std::uint64_t goid = 0;
  std::uint64_t parent = 0;         // 0 when unknown
  std::uint64_t wait_since = 0;     // nanotime, 0 unless a garbage collection has stamped it
  std::uint64_t park_identity = 0;  // the same twice: the same park, or an exact multiple of 256 parks later
  std::uint64_t channel = 0;        // address of the channel of a single send or receive; 0: none, or not known
  std::uint32_t birth = 0;          // index into Snapshot::births
  std::uint32_t stack = 0;          // index into Snapshot::stacks; 0: running, or it moved while it was read
  std::uint32_t stack_bytes = 0;    // stack.hi - stack.lo
  GStatus status{};
  std::uint8_t wait_reason = 0;
  bool system : 1 = false;      // the runtime's own, as runtime.isSystemGoroutine tells
  bool unbuffered : 1 = false;  // of channel
  bool full : 1 = false;        // of channel: capacity > 0 and length == capacity
};

// In two parts, as two threads read them: to join a million would touch as much memory again.
class GoroutineList {
 public:
  std::size_t size() const { return first_.size() + second_.size(); }
  const Goroutine& operator[](std::size_t i) const {
    return i < first_.size() ? first_[i] : second_[i - first_.size()];
  }
  // Without the runtime's own.
  std::size_t count_of_program() const {
    const auto is_program = [](const Goroutine& g) { return !g.system; };
    return static_cast<std::size_t>(std::ranges::count_if(first_, is_program) +
                                    std::ranges::count_if(second_, is_program));
  }
  void reserve(std::size_t count) { first_.reserve(count); }
  void push_back(const Goroutine& goroutine) { first_.push_back(goroutine); }
  // Neither has been appended to before.
  void append(GoroutineList&& list) { second_ = std::move(list.first_); }

 private:
  LargeArray<Goroutine> first_;
  LargeArray<Goroutine> second_;
};

// One goroutine with the fields that it was seen by.
struct PickedGoroutine {
  Goroutine goroutine;
  RawGoroutine raw;
};

struct Snapshot {
  Instant begin;
  Instant end;
  GoroutineList goroutines;                          // in no order; dead ones left out
  std::vector<std::shared_ptr<const Stack>> stacks;  // [0] is the empty one; never null
  std::vector<Birth> births;                         // [0] is {0, 0}
  LargeArray<RawGoroutine> raw;                      // as long as goroutines when it was asked for, else empty
  std::vector<PickedGoroutine> picked;               // those that were asked for, in no order
  std::uint64_t implausible = 0;                     // a g that was not fit to be read, left out
  std::uint64_t moved = 0;   // stopped goroutines that went on while their stack was read: no frames
  std::uint64_t reused = 0;  // goroutines that had not moved since the last snapshot: their stacks were not read
  Duration helpers_cpu{};    // what other threads than the caller's took for it
};

}  // namespace goleakd::snapshot
