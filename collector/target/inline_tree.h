// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "target/elf_file.h"
#include "target/pclntab.h"

namespace goleakd::target {

// One call that was inlined (runtime.inlinedCall, src/runtime/symtabinl.go).
struct InlinedCall {
  std::uint8_t func_id = 0;
  std::uint32_t name = 0;       // Pclntab::name_at
  std::uint32_t parent_pc = 0;  // of the call, from the function's entry
};

// Where the functions of one binary keep which calls were inlined into them.
class InlineTrees {
 public:
  // Borrows both; `gofunc` is moduledata.gofunc.
  InlineTrees(const ElfFile& elf, const Pclntab& functions, std::uint64_t gofunc);

  // Of the innermost inlined call at a pc within `function`; nothing where the code is the function's own.
  std::optional<InlinedCall> call_at(const Pclntab::Function& function, std::uint64_t pc) const;

  // Where the function's own code stands when it is at `pc`: before the outermost inlined call that `pc` belongs to,
  // else `pc` itself. Code that is seldom run is put behind all other, slow paths of what was inlined above all.
  std::uint64_t own_pc(const Pclntab::Function& function, std::uint64_t pc) const;

  // All that were inlined into it, in no order; none where there are too many to be true.
  std::vector<InlinedCall> calls_in(const Pclntab::Function& function) const;

  // The functions into which calls of these, of package runtime, were inlined, each with all that was: a profile (PGO)
  // makes the compiler inline what it never does otherwise, golang/go#74045. Those of the same package are looked
  // through, whatever the linker calls them; other packages can't name what is asked for here.
  struct Host {
    Pclntab::Function function;
    std::set<std::string_view> inlined;  // of the names that were asked for
  };
  std::vector<Host> hosts_of(const std::set<std::string_view>& names) const;

 private:
  std::optional<std::uint64_t> tree_of(const Pclntab::Function& function) const;
  std::uint64_t entry_size() const;
  std::optional<InlinedCall> decode(ByteSpan tree, std::uint64_t index) const;

  const ElfFile& elf_;
  const Pclntab& functions_;
  std::uint64_t gofunc_;
};

}  // namespace goleakd::target
