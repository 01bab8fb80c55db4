// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/large_array.h"
#include "base/result.h"
#include "snapshot/memory.h"

namespace goleakd::snapshot {

// A place for each g struct of one process, by address: neighbours in memory are neighbours here, so that some of them
// in a row are a few large reads. With what each showed last time; 28 bytes each.
class GSlots {
 public:
  std::size_t size() const { return addresses.size(); }
  // Adds the g structs that came since the last time; `allgs` is the address of runtime.allgs, which is only added to.
  // invalid when it is no list of goroutines.
  Result<void> learn(const Memory& memory, std::uint64_t allgs);
  // Nothing that was seen of it may be used again.
  void forget(std::size_t slot) { identities[slot] = channels[slot] = stacks[slot] = 0; }
  void forget_all();

  LargeArray<std::uint64_t> addresses;
  LargeArray<std::uint64_t> identities;  // of goroutine and park; 0: nothing that may be used again
  LargeArray<std::uint64_t> channels;    // packed
  LargeArray<std::uint32_t> stacks;      // in the StackTable

 private:
  void sort_in(std::span<const std::uint64_t> fresh);
  template <typename Change>
  void each_column(const Change& change) {
    change(addresses);
    change(identities);
    change(channels);
    change(stacks);
  }
};

}  // namespace goleakd::snapshot
