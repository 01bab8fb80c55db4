// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "target/build_info.h"
#include "target/code.h"
#include "target/elf_file.h"
#include "target/layout.h"
#include "target/module_data.h"
#include "target/pclntab.h"
#include "target/runtime_globals.h"
#include "target/symbolizer.h"

namespace goleakd::target {

// Everything about a Go executable that does not depend on a running process. Immutable once made; processes of one
// build share it. All addresses are link-time ones.
class GoBinary {
 public:
  // not_found: an ELF file, but no Go program. unsupported: Go, but of a version or form that cannot be watched.
  // invalid: it breaks the rules of its formats.
  static Result<std::shared_ptr<const GoBinary>> open(UniqueFd fd, const std::string& path);

  const ElfFile& elf() const { return elf_; }
  const BuildInfo& build_info() const { return build_info_; }
  const Layout& layout() const { return *layout_; }
  const Pclntab& functions() const { return *functions_; }
  const Symbolizer& symbolizer() const { return *symbolizer_; }
  const RuntimeGlobals& globals() const { return globals_; }

  Result<std::vector<std::uint8_t>> code_of(const Pclntab::Function& function) const;

  // Which `go` statement of its function stands before `gopc` (a return address, g.gopc): 0 for the first in address
  // order, and where the runtime itself started the goroutine (iter.Pull, timers).
  std::uint32_t go_statement_ordinal(std::uint64_t gopc) const;
  // The call that returns to `return_pc` receives from a channel with the two-result form and is repeated by a backward
  // jump over it: what `for v := range ch` compiles to.
  bool is_range_receive(std::uint64_t return_pc) const;

 private:
  explicit GoBinary(ElfFile elf) : elf_(std::move(elf)) {}
  Result<void> load(const ElfFile::Section& pclntab);

  ElfFile elf_;
  BuildInfo build_info_;
  const Layout* layout_ = nullptr;
  ModuleData module_data_;
  std::optional<Pclntab> functions_;
  std::optional<Symbolizer> symbolizer_;
  RuntimeGlobals globals_;
};

}  // namespace goleakd::target
