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

// The runtime's function table, .gopclntab, which every Go program carries, stripped or not. Forms of Go 1.16 (magic
// 0xfffffffa), 1.18 (0xfffffff0) and 1.20 (0xfffffff1), the latter also as 1.26 writes it, with no text start inside.
// Format: src/runtime/symtab.go, src/cmd/link/internal/ld/pcln.go. Every offset in it is checked, and every search
// ends: the file belongs to others.
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

  // `text` is where the code of function 0 begins; the form of Go 1.16 has whole addresses and does not look at it.
  // invalid when the table breaks its own rules, unsupported when its form is unknown.
  static Result<Pclntab> parse(std::vector<std::uint8_t> bytes, std::uint64_t text);

  // What the header says, before the rest is looked at. Nothing when it is no header of a known form.
  struct Header {
    // Offset of the function names: moduledata repeats it, which tells a moduledata from other words.
    std::uint64_t names = 0;
    // Where in the table the address of the first function's code stands (0 there from Go 1.26 on, and in a PIE that
    // was linked externally, whose relocation has it); 0 when this form has no such field.
    std::uint64_t text_at = 0;
  };
  static std::optional<Header> header(ByteSpan bytes);

  std::uint32_t size() const { return count_; }
  std::uint64_t text() const { return text_; }
  ByteSpan bytes() const { return bytes_; }
  // Bytes that it holds.
  std::size_t memory() const;

  std::optional<Function> function(std::uint32_t index) const;
  // The function that contains a link-time address.
  std::optional<Function> function_at(std::uint64_t pc) const;
  // Only functions of package runtime are indexed by name, among them those that package sync has given it.
  std::optional<Function> runtime_function(std::string_view name) const;
  // A name by its offset, as inline trees refer to it.
  std::string_view name_at(std::uint32_t offset) const;

  // Bytes between SP at `pc` and SP at the function's entry (where the return address is). Nothing for unmapped pcs.
  std::optional<std::int32_t> sp_delta(const Function& function, std::uint64_t pc) const;
  Line line(const Function& function, std::uint64_t pc) const;
  // What the functions that were compiled together, those of a package, have in common; a name tells less, for the
  // linker calls runtime.timeSleep time.Sleep.
  std::optional<std::uint32_t> compilation_unit(const Function& function) const;
  // Value of a PCDATA table at `pc`; -1 when there is none.
  std::int32_t pcdata(const Function& function, std::uint32_t table, std::uint64_t pc) const;
  // The largest of its values; -1 when there is none.
  std::int32_t largest_pcdata(const Function& function, std::uint32_t table) const;
  // Offset of a FUNCDATA object from moduledata.gofunc; in the form of Go 1.16, which knows no gofunc, its address.
  std::optional<std::uint64_t> funcdata(const Function& function, std::uint32_t table) const;
  // inlinedCall entries have 20 bytes and the old shape (before Go 1.20).
  bool old_inline_tree() const;

  struct Form;  // what differs between the versions

 private:
  Pclntab() = default;
  template <typename Visit>
  void for_each_value(std::uint64_t table_at, const Function& function, const Visit& visit) const;
  std::optional<std::int32_t> value_at(std::uint64_t table_at, const Function& function, std::uint64_t pc) const;
  std::uint64_t pcdata_table(const Function& function, std::uint32_t table) const;
  // The table of functions is words in pairs: where the code begins, where its _func is.
  std::optional<std::uint64_t> functab_word(std::uint64_t index) const;
  // Where the code of entry `index` of the function table begins; entry count_ is the end of the last function.
  std::optional<std::uint64_t> entry_address(std::uint32_t index) const;
  std::optional<Function> function_without_name(std::uint32_t index, std::uint32_t& name) const;

  std::vector<std::uint8_t> bytes_;
  const Form* form_ = nullptr;
  std::uint64_t text_ = 0;
  std::uint64_t first_ = 0;  // addresses of all functions: [first_, end_)
  std::uint64_t end_ = 0;
  std::uint32_t count_ = 0;
  // Offsets of the parts.
  std::uint64_t names_ = 0;
  std::uint64_t units_ = 0;
  std::uint64_t files_ = 0;
  std::uint64_t pcs_ = 0;
  std::uint64_t functions_ = 0;
  std::unordered_map<std::string_view, std::uint32_t> runtime_;  // views into bytes_, whose heap block moves with it
};

}  // namespace goleakd::target
