// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "snapshot/memory.h"
#include "target/pclntab.h"

namespace goleakd::snapshot {

// One physical frame, at link-time addresses.
struct StackFrame {
  std::uint64_t pc = 0;         // where the function goes on: a return address, but for a frame that was interrupted
  std::uint64_t symbol_pc = 0;  // the instruction to ask for file and line: inside the call
  std::uint64_t return_at = 0;  // where its return address is, in bytes from the sp the walk began with; 0: not read
  bool operator==(const StackFrame&) const = default;
};

enum class UnwindEnd : std::uint8_t {
  top,      // reached the function that the goroutine was started with
  broken,   // a pc outside Go code, or a stack pointer outside the stack: what was found so far is kept
  too_deep  // more frames than asked for
};

// The part of a goroutine's stack that has been read; the next part takes its place when a frame needs it.
struct StackBytes {
  std::uint64_t base = 0;  // address of the first byte
  std::vector<std::uint8_t> bytes;
  std::uint64_t end = 0;  // stack.hi
};

// Where a stopped goroutine goes on, at run-time addresses.
struct UnwindStart {
  std::uint64_t pc = 0;
  std::uint64_t sp = 0;
  std::uint64_t load_bias = 0;
};

// Walks a stopped goroutine's stack as the runtime does (src/runtime/traceback.go): the size of each frame comes from
// the binary's pc-to-sp table, so functions without frame pointers, system calls and preempted goroutines are right
// too.
UnwindEnd unwind(const target::Pclntab& functions, const Memory& memory, StackBytes& stack, const UnwindStart& start,
                 std::size_t max_frames, std::vector<StackFrame>& frames);

}  // namespace goleakd::snapshot
