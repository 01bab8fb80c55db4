// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "target/elf_file.h"
#include "target/inline_tree.h"
#include "target/pclntab.h"

namespace goleakd::target {

// One logical frame at a pc: the function itself, or one that was inlined into it.
struct SourceFrame {
  std::string function;  // as tracebacks print it
  std::string generic;   // the same with its type arguments, as profiles name it, where it has some; else empty
  std::string file;
  int line = 0;
  bool inlined = false;
  std::uint8_t func_id = 0;
};

// Turns link-time pcs into logical frames, as the runtime's inlineUnwinder does (src/runtime/symtabinl.go). Results are
// kept, up to a limit that no real program comes near: it has few distinct pcs, and they never change. Safe to use from
// several threads.
class Symbolizer {
 public:
  // Borrows both; `gofunc` is moduledata.gofunc.
  Symbolizer(const ElfFile& elf, const Pclntab& functions, std::uint64_t gofunc);

  // Innermost first, the physical function last; empty for a pc outside Go code. `pc` is that of an instruction, not a
  // return address: callers step back by one first. Beyond the limit a pc that is new is one frame named "?".
  const std::vector<SourceFrame>& frames(std::uint64_t pc) const;
  const InlineTrees& inlining() const { return inlining_; }
  // Bytes that it holds by now.
  std::size_t memory() const;

 private:
  std::vector<SourceFrame> resolve(std::uint64_t pc) const;

  const Pclntab& functions_;
  InlineTrees inlining_;
  mutable std::mutex mutex_;
  mutable std::size_t memory_ = 0;
  mutable std::unordered_map<std::uint64_t, std::vector<SourceFrame>> known_;  // node-based: references stay valid
};

// As tracebacks print it: type arguments shortened to "[...]" (runtime.printFuncName).
std::string printable_function(std::string_view name);

}  // namespace goleakd::target
