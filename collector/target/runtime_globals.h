// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/result.h"
#include "target/elf_file.h"
#include "target/layout.h"
#include "target/pclntab.h"

namespace goleakd::target {

// Link-time addresses of the runtime's variables; 0 where one was not found. Each is a candidate only: whoever reads
// live memory through it checks first that what is there can be it (snapshot/runtime_check.h).
struct RuntimeGlobals {
  std::uint64_t allgs = 0;                // []*g, src/runtime/proc.go; never 0
  std::uint64_t allp = 0;                 // []*p
  std::uint64_t sched = 0;                // schedt
  std::uint64_t mheap = 0;                // mheap
  std::uint64_t semtable = 0;             // semTable, src/runtime/sema.go
  std::uint64_t firstmoduledata = 0;      // moduledata, src/runtime/symtab.go
  std::uint64_t wait_reason_strings = 0;  // [...]string, src/runtime/runtime2.go

  // Each by symbol, else by decoding the functions of the runtime that name it. not_found when allgs can't be had.
  static Result<RuntimeGlobals> find(const ElfFile& elf, const Pclntab& functions, const Layout& layout,
                                     std::uint64_t firstmoduledata);
};

}  // namespace goleakd::target
