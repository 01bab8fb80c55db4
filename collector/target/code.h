// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Zydis/Zydis.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "target/elf_file.h"
#include "target/pclntab.h"

namespace goleakd::target {

// One decoded x86-64 instruction at its link-time address.
struct Instruction {
  std::uint64_t address = 0;
  ZydisDecodedInstruction decoded{};
  ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT]{};

  std::uint64_t end() const { return address + decoded.length; }
  bool is(ZydisMnemonic mnemonic) const { return decoded.mnemonic == mnemonic; }
  // Where a direct call or jump goes; nothing for other instructions and indirect ones.
  std::optional<std::uint64_t> branch_target() const;
  // The address that a RIP-relative memory operand names (also that of LEA).
  std::optional<std::uint64_t> rip_relative() const;
  // The constant operand of CMP, MOV and the like, sign-extended; nothing for calls and jumps.
  std::optional<std::uint64_t> immediate() const;
  bool is_call() const { return decoded.meta.category == ZYDIS_CATEGORY_CALL; }
  bool is_jump() const {
    return decoded.meta.category == ZYDIS_CATEGORY_COND_BR || decoded.meta.category == ZYDIS_CATEGORY_UNCOND_BR;
  }
};

// Decodes `code`, which stands at `address`, from its first byte on, and hands each instruction to `visit` until that
// returns false. Ends quietly at bytes that are no instruction: Go fills the space between functions with int3.
void for_each_instruction(ByteSpan code, std::uint64_t address, const std::function<bool(const Instruction&)>& visit);

// Addresses of `call rel32` to `callee`, in order.
std::vector<std::uint64_t> calls_to(ByteSpan code, std::uint64_t address, std::uint64_t callee);

// The code of a function of package runtime, at its link-time address; nothing when there is none.
struct FunctionCode {
  std::uint64_t address = 0;
  std::vector<std::uint8_t> bytes;
};
std::optional<FunctionCode> code_of_runtime(const ElfFile& elf, const Pclntab& functions, std::string_view name);

}  // namespace goleakd::target
