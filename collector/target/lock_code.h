// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "target/go_binary.h"
#include "target/pclntab.h"

namespace goleakd::target {

// What the code of one function does with locks of package sync, itself or by calls that were inlined. It does not tell
// which lock is taken where, and not what happens by calls through an interface (sync.Locker) or in functions that it
// calls. Addresses are link-time ones.
struct LockCode {
  // Places in the function's own code (InlineTrees::own_pc), of calls the return address; in no order.
  std::vector<std::uint64_t> taken;     // where it locks, for reading or writing
  std::vector<std::uint64_t> released;  // where it unlocks
  std::vector<std::uint64_t> done;      // where it calls WaitGroup.Done
  bool defers = false;                  // it has a defer statement, which may unlock, or call Done
  // How far behind a pointer what it computes an address of, or changes atomically, may stand: with the pointer itself,
  // 0. Sorted.
  std::vector<std::uint32_t> displacements;
  std::vector<std::uint64_t> globals;  // addresses that the code itself names; sorted

  // Who stands at that place, in code that comes in the order of its source, may hold a lock: it has passed one that
  // takes it, and one that releases it is still to come. Who is about to take one has not passed that.
  bool may_hold_at(std::uint64_t place) const;
  bool may_call_done_at(std::uint64_t place) const;
};

// Empty where the code can't be read.
LockCode lock_code(const GoBinary& binary, const Pclntab::Function& function);
// Where in its own code a function stands that goes on at `return_pc`.
std::uint64_t place_of(const GoBinary& binary, const Pclntab::Function& function, std::uint64_t return_pc);

}  // namespace goleakd::target
