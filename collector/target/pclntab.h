// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace goleakd::target {

// The runtime's function table, .gopclntab, which every Go program carries, stripped or not. Headers of Go 1.18 (magic
// 0xfffffff0) and 1.20 (0xfffffff1), the latter also as 1.26 writes it, with no text start inside. Format:
// src/runtime/symtab.go, src/cmd/link/internal/ld/pcln.go. Every offset in it is checked: the file belongs to others.
class Pclntab {
 public:
  Pclntab(Pclntab&&) = default;
  Pclntab& operator=(Pclntab&&) = default;
  Pclntab(const Pclntab&) = delete;  // names are views into the bytes
  Pclntab& operator=(const Pclntab&) = delete;
  ~Pclntab() = default;

  struct Function {
    std::uint32_t index = 0;
    std::uint64_t entry = 0;   // link-time address
    std::uint64_t end = 0;     // of the next function, so alignment padding is included
    std::string_view name;     // lives as long as the table
    std::uint8_t id = 0;       // abi.FuncID of this Go version
    bool top_frame = false;    // abi.FuncFlagTopFrame: nothing called it, unwinding ends here
    std::uint64_t record = 0;  // offset of its _func
  };
  struct Line {
    std::string_view file;  // "?" when unknown, as the runtime says
    int line = 0;
  };

  // `text` is where the code of function 0 begins. invalid when the table breaks its own rules.
  static Result<Pclntab> parse(std::vector<std::uint8_t> bytes, std::uint64_t text);

  // Offset of the function names: moduledata repeats it, which tells a moduledata from other words.
  static std::optional<std::uint64_t> name_table_offset(ByteSpan bytes);

  std::uint32_t size() const { return count_; }
  std::uint64_t text() const { return text_; }

  std::optional<Function> function(std::uint32_t index) const;
  // The function that contains a link-time address.
  std::optional<Function> function_at(std::uint64_t pc) const;
  // Only functions of package runtime are indexed by name.
  std::optional<Function> runtime_function(std::string_view name) const;
  // A name by its offset, as inline trees refer to it.
  std::string_view name_at(std::uint32_t offset) const;

  // Bytes between SP at `pc` and SP at the function's entry (where the return address is). Nothing for unmapped pcs.
  std::optional<std::int32_t> sp_delta(const Function& function, std::uint64_t pc) const;
  Line line(const Function& function, std::uint64_t pc) const;
  // Value of a PCDATA table at `pc`; -1 when there is none.
  std::int32_t pcdata(const Function& function, std::uint32_t table, std::uint64_t pc) const;
  // Offset of a FUNCDATA object from moduledata.gofunc.
  std::optional<std::uint32_t> funcdata(const Function& function, std::uint32_t table) const;
  // inlinedCall entries have 20 bytes and the old shape (Go 1.18, 1.19).
  bool old_inline_tree() const { return old_; }

 private:
  Pclntab() = default;
  std::optional<std::int32_t> value_at(std::uint32_t table, const Function& function, std::uint64_t pc) const;
  std::uint64_t func_header_size() const { return old_ ? 40 : 44; }

  std::vector<std::uint8_t> bytes_;
  std::uint64_t text_ = 0;
  std::uint64_t end_offset_ = 0;
  std::uint32_t count_ = 0;
  bool old_ = false;
  // Offsets of the parts.
  std::uint64_t names_ = 0;
  std::uint64_t units_ = 0;
  std::uint64_t files_ = 0;
  std::uint64_t pcs_ = 0;
  std::uint64_t functions_ = 0;
  std::unordered_map<std::string_view, std::uint32_t> runtime_;  // views into bytes_, whose heap block moves with it
};

}  // namespace goleakd::target
