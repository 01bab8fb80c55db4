// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/result.h"
#include "target/elf_file.h"
#include "target/pclntab.h"

namespace goleakd::target {

// Link-time addresses of the runtime's variables. Whoever reads live memory through them checks what is there first.
struct RuntimeGlobals {
  std::uint64_t allgs = 0;  // []*g, src/runtime/proc.go

  // By symbol, else by decoding runtime.allgadd, the one function that appends to allgs: it names the three words of
  // the slice header in a row. not_found when that is not what its code looks like.
  static Result<RuntimeGlobals> find(const ElfFile& elf, const Pclntab& functions);
};

}  // namespace goleakd::target
