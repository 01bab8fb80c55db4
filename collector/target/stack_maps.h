// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "target/elf_file.h"
#include "target/pclntab.h"

namespace goleakd::target {

// Which words of a stopped frame hold pointers that its function still uses. It is what Go's garbage collector goes by
// (runtime.(*stkframe).getStackMap, src/runtime/stkframe.go): every call has such a map, of local variables and of
// arguments. A word that is not named may hold what was of use once.
class StackMaps {
 public:
  // Borrows both; `gofunc` is moduledata.gofunc.
  StackMaps(const ElfFile& elf, const Pclntab& functions, std::uint64_t gofunc)
      : elf_(elf), functions_(functions), gofunc_(gofunc) {}

  // Where they are, in bytes from the frame's return address: locals below it, arguments above. `pc` is within the call
  // that the frame waits for. Of variables whose address was taken the map does not tell. Empty where there is no map,
  // or none that can be read. In rising order.
  std::vector<std::int64_t> live_words(const Pclntab::Function& function, std::uint64_t pc) const;

 private:
  // Bit by bit, whether a word is live; empty where there is no map.
  std::vector<bool> bits(const Pclntab::Function& function, std::uint32_t table, std::int32_t index) const;

  const ElfFile& elf_;
  const Pclntab& functions_;
  std::uint64_t gofunc_;
};

}  // namespace goleakd::target
