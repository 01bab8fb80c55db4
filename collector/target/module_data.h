// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "target/elf_file.h"
#include "target/layout.h"

namespace goleakd::target {

// What goleakd takes from runtime.firstmoduledata (src/runtime/symtab.go), at link-time addresses.
struct ModuleData {
  std::uint64_t address = 0;
  std::uint64_t text = 0;    // runtime.text: where function 0 of the pclntab begins, cgo or not
  std::uint64_t gofunc = 0;  // base of FUNCDATA offsets

  // By symbol, by section .go.module (Go 1.26 on), else by searching writable data for the words that only it holds: a
  // pointer to the pclntab followed by one to its name table. Verified against both either way; not_found when nothing
  // fits.
  static Result<ModuleData> find(const ElfFile& elf, const Layout& layout, std::uint64_t pclntab_address,
                                 ByteSpan pclntab);
};

}  // namespace goleakd::target
