// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "target/build_info.h"
#include "target/code.h"
#include "target/elf_file.h"
#include "target/layout.h"
#include "target/pclntab.h"
#include "target/runtime_globals.h"
#include "target/stack_maps.h"
#include "target/symbolizer.h"

namespace goleakd::target {

// Everything about a Go executable that does not depend on a running process. Immutable once made; processes of one
// build share it. All addresses are link-time ones.
class GoBinary {
 public:
  // not_found: an ELF file, but no Go program. unsupported: Go, but of a version or form that cannot be watched.
  // invalid: it breaks the rules of its formats. `path` is for messages.
  static Result<std::shared_ptr<const GoBinary>> open(UniqueFd fd, const std::string& path);
  // The same program in another file of the same contents: shares everything but the file itself.
  Result<std::shared_ptr<const GoBinary>> in_other_file(UniqueFd fd, const std::string& path) const;

  const ElfFile& elf() const { return other_file_ ? *other_file_ : *contents_->elf; }
  const BuildInfo& build_info() const { return contents_->build_info; }
  const Layout& layout() const { return *contents_->layout.layout; }
  LayoutOrigin layout_origin() const { return contents_->layout.origin; }
  const Pclntab& functions() const { return *contents_->functions; }
  const Symbolizer& symbolizer() const { return *contents_->symbolizer; }
  const StackMaps& stack_maps() const { return *contents_->stack_maps; }
  const RuntimeGlobals& globals() const { return contents_->globals; }

  // Bytes that it holds by now, those that it shares included.
  std::size_t memory() const;

  Result<std::vector<std::uint8_t>> code_of(const Pclntab::Function& function) const;

  // Which `go` statement of its function stands before `gopc` (a return address, g.gopc): 0 for the first in address
  // order, and where the runtime itself started the goroutine (iter.Pull, timers).
  std::uint32_t go_statement_ordinal(std::uint64_t gopc) const;
  // The call that returns to `return_pc` receives from a channel with the two-result form and is repeated by a backward
  // jump over it: what `for v := range ch` compiles to.
  bool is_range_receive(std::uint64_t return_pc) const;

 private:
  struct Contents {
    std::optional<ElfFile> elf;  // the one that all else was read from
    BuildInfo build_info;
    LayoutChoice layout;
    std::vector<std::string> wait_reasons;            // the binary's own; empty: those of the table are used
    std::vector<std::string_view> wait_reason_texts;  // of wait_reasons, as Layout wants them
    std::optional<Pclntab> functions;
    std::optional<Symbolizer> symbolizer;
    std::optional<StackMaps> stack_maps;
    RuntimeGlobals globals;
  };
  class Loader;

  explicit GoBinary(std::shared_ptr<const Contents> contents) : contents_(std::move(contents)) {}

  std::shared_ptr<const Contents> contents_;
  std::optional<ElfFile> other_file_;
};

}  // namespace goleakd::target
