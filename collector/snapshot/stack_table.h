// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "snapshot/snapshot.h"

namespace goleakd::snapshot {

// The distinct stacks of one process: a program has few, however many goroutines. A stack that is known is recognised
// without walking it: the walk reads its return addresses one after the other, and the first tells where the second is,
// so where all of them stand as before, it would go the same way.
class StackTable {
 public:
  StackTable();

  // All that were found since the last reset; [0] is the empty one.
  const std::vector<std::shared_ptr<const Stack>>& stacks() const { return stacks_; }
  // There is no room for another: what a target shows is not ours to hold without end.
  bool full() const;
  void reset();

  struct Candidates {
    std::uint64_t bytes = 0;  // from the stack pointer on, that recognise() looks at
    std::vector<std::uint32_t> stacks;
  };
  // Stacks of goroutines that go on at the link-time `pc` with `depth` bytes between the stack pointer and the end of
  // their stack. Null: such a one has not been seen. Good until the next reset.
  const Candidates* candidates(std::uint64_t pc, std::uint64_t depth) const;
  // Index of the one that it is, or 0 when it is none of them. `bytes` begin at the stack pointer.
  std::uint32_t recognise(const Candidates& among, std::uint64_t pc, ByteSpan bytes, std::uint64_t load_bias) const;
  // Index of a stack that was walked. 0 when the table is full.
  std::uint32_t add(std::uint64_t depth, Stack stack);

 private:
  std::vector<std::shared_ptr<const Stack>> stacks_;
  std::size_t frames_ = 0;
  std::unordered_multimap<std::uint64_t, std::uint32_t> by_content_;  // hash of the frames
  std::unordered_map<std::uint64_t, Candidates> by_start_;            // hash of pc and depth
};

}  // namespace goleakd::snapshot
