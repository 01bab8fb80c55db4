// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "go_program_fixture.h"
#include "pclntab_fixture.h"

// A program whose functions a test chooses: what each of them calls, and what the compiler has inlined into it.
class RuntimeFunctionsFixture {
 public:
  enum class Prologue : std::uint8_t { usual, unknown };
  enum class Package : std::uint8_t { runtime, other };

  // Of the form that Go 1.20 and later compile: its code is 128 bytes from that of the one before it.
  struct Function {
    std::string name;
    std::vector<std::string> calls{};
    std::vector<std::string> inlined{};
    Prologue prologue = Prologue::usual;
    Package package = Package::runtime;
  };
  static constexpr std::uint64_t kSize = 0x80;
  static constexpr std::uint64_t kPush = 10;   // offset of `push %rbp`
  static constexpr std::uint64_t kCalls = 14;  // of the first call
  static constexpr std::uint64_t kCall = 5;    // to the next

  explicit RuntimeFunctionsFixture(std::vector<Function> functions) : functions_(std::move(functions)) {}

  std::vector<std::uint8_t> program(const std::string& version) const {
    return GoProgramFixture::bytes(version, {{"runtime.allgs", GoProgramFixture::kAllgs}}, table(), code());
  }

  std::uint64_t address(const std::string& name) const {
    const auto is_it = [&](const Function& function) { return function.name == name; };
    const auto index = std::find_if(functions_.begin(), functions_.end(), is_it) - functions_.begin();
    return PclntabFixture::kText + static_cast<std::uint64_t>(index) * kSize;
  }

 private:
  std::vector<std::uint8_t> code() const {
    std::vector<std::uint8_t> code;
    for (const Function& function : functions_) {
      std::vector<std::uint8_t> own{0x49, 0x3b, 0x66, 0x10,              // cmp 0x10(%r14),%rsp
                                    0x0f, 0x86, 0x00, 0x00, 0x00, 0x00,  // jbe
                                    0x55, 0x48, 0x89, 0xe5};             // push %rbp; mov %rsp,%rbp
      if (function.prologue == Prologue::unknown)
        std::fill(own.begin() + 4, own.end(), 0x90);  // nops: a compare, and no jump
      for (const std::string& callee : function.calls) {
        const std::uint64_t next = address(function.name) + own.size() + kCall;
        own.push_back(0xe8);
        put32(own, static_cast<std::uint32_t>(address(callee) - next));
      }
      own.push_back(0xc3);
      own.resize(kSize, 0xcc);
      code.insert(code.end(), own.begin(), own.end());
    }
    return code;
  }

  // src/runtime/symtab.go; its inline trees (src/runtime/symtabinl.go) follow it, where no name's offset changes.
  std::vector<std::uint8_t> table() const {
    Names names;
    std::vector<std::uint8_t> values{0};  // of pc-value tables; offset 0: none
    std::vector<std::uint8_t> trees;
    std::vector<std::uint8_t> records;
    std::vector<std::uint8_t> entries;
    const auto count = static_cast<std::uint32_t>(functions_.size());
    const std::uint32_t first_record = (2 * count + 1) * 4;
    std::vector<std::size_t> tree_fields;
    for (std::uint32_t i = 0; i < count; ++i) {
      const Function& function = functions_[i];
      put32(entries, static_cast<std::uint32_t>(i * kSize));
      put32(entries, static_cast<std::uint32_t>(first_record + records.size()));
      const bool has_tree = !function.inlined.empty();
      put32(records, static_cast<std::uint32_t>(i * kSize));
      put32(records, names.offset(function.name));
      for (int field = 0; field < 5; ++field) put32(records, 0);  // args, deferreturn, pcsp, pcfile, pcln
      put32(records, has_tree ? 3 : 0);                           // PCDATA
      put32(records, function.package == Package::runtime ? 0 : 1);
      put32(records, 1);  // start line
      records.insert(records.end(), {0, 0, 0, static_cast<std::uint8_t>(has_tree ? 4 : 0)});
      if (!has_tree) continue;
      for (const std::uint32_t pcdata : {0U, 0U, static_cast<std::uint32_t>(values.size())}) put32(records, pcdata);
      for (std::size_t call = 0; call < function.inlined.size(); ++call) {
        values.insert(values.end(), {2, 1});  // the next index, for one byte of code
      }
      values.push_back(0);
      for (int none = 0; none < 3; ++none) put32(records, ~std::uint32_t{0});
      tree_fields.push_back(records.size());
      put32(records, static_cast<std::uint32_t>(trees.size()));
      for (const std::string& name : function.inlined) {
        put32(trees, 0);
        put32(trees, names.offset(name));
        put32(trees, static_cast<std::uint32_t>(kCalls));
        put32(trees, 1);
      }
    }
    put32(entries, static_cast<std::uint32_t>(count * kSize));

    std::vector<std::uint8_t> out;
    put32(out, PclntabFixture::kGo120);
    out.insert(out.end(), {0, 0, 1, 8});
    for (const std::uint64_t word : {std::uint64_t{count}, std::uint64_t{1}, std::uint64_t{0}}) put64(out, word);
    const std::vector<std::vector<std::uint8_t>> parts{names.bytes, {0, 0, 0, 0, 0, 0, 0, 0}, {'f', 0}, values};
    std::uint64_t at = out.size() + 5 * 8;
    for (const auto& part : parts) {
      put64(out, at);
      at += part.size();
    }
    put64(out, at);  // functions
    for (const auto& part : parts) out.insert(out.end(), part.begin(), part.end());
    const auto trees_at = static_cast<std::uint32_t>(out.size() + entries.size() + records.size());
    for (const std::size_t field : tree_fields) {
      std::uint32_t offset = 0;
      std::memcpy(&offset, records.data() + field, sizeof(offset));
      offset += trees_at;
      std::memcpy(records.data() + field, &offset, sizeof(offset));
    }
    for (const auto& part : {entries, records, trees}) out.insert(out.end(), part.begin(), part.end());
    return out;
  }

  struct Names {
    std::vector<std::uint8_t> bytes;

    std::uint32_t offset(const std::string& name) {
      const auto found = std::search(bytes.begin(), bytes.end(), name.c_str(), name.c_str() + name.size() + 1);
      const auto at = static_cast<std::uint32_t>(found - bytes.begin());
      if (found == bytes.end()) bytes.insert(bytes.end(), name.c_str(), name.c_str() + name.size() + 1);
      return at;
    }
  };

  static void put32(std::vector<std::uint8_t>& out, std::uint32_t value) {
    for (unsigned shift = 0; shift < 32; shift += 8) out.push_back(static_cast<std::uint8_t>(value >> shift));
  }
  static void put64(std::vector<std::uint8_t>& out, std::uint64_t value) {
    put32(out, static_cast<std::uint32_t>(value));
    put32(out, static_cast<std::uint32_t>(value >> 32U));
  }

  std::vector<Function> functions_;
};
