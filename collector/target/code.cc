// SPDX-License-Identifier: Apache-2.0
#include "target/code.h"

#include <algorithm>
#include <utility>

namespace goleakd::target {

std::optional<std::uint64_t> Instruction::branch_target() const {
  if (!is_call() && !is_jump()) return std::nullopt;
  if (decoded.operand_count_visible == 0 || operands[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE ||
      operands[0].imm.is_relative == 0) {
    return std::nullopt;
  }
  return end() + static_cast<std::uint64_t>(operands[0].imm.value.s);
}

std::optional<std::uint64_t> Instruction::rip_relative() const {
  for (ZyanU8 i = 0; i < decoded.operand_count_visible; ++i) {
    const ZydisDecodedOperand& operand = operands[i];
    if (operand.type == ZYDIS_OPERAND_TYPE_MEMORY && operand.mem.base == ZYDIS_REGISTER_RIP &&
        operand.mem.index == ZYDIS_REGISTER_NONE) {
      return end() + static_cast<std::uint64_t>(operand.mem.disp.value);
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> Instruction::immediate() const {
  for (ZyanU8 i = 0; i < decoded.operand_count_visible; ++i) {
    const ZydisDecodedOperand& operand = operands[i];
    if (operand.type == ZYDIS_OPERAND_TYPE_IMMEDIATE && operand.imm.is_relative == 0) return operand.imm.value.u;
  }
  return std::nullopt;
}

void for_each_instruction(ByteSpan code, std::uint64_t address, const std::function<bool(const Instruction&)>& visit) {
  ZydisDecoder decoder;
  ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
  Instruction instruction;
  for (std::uint64_t at = 0; at < code.size(); at += instruction.decoded.length) {
    if (ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, code.data() + at, code.size() - at, &instruction.decoded,
                                           instruction.operands))) {
      return;
    }
    instruction.address = address + at;
    if (!visit(instruction)) return;
  }
}

std::vector<std::uint64_t> calls_to(ByteSpan code, std::uint64_t address, std::uint64_t callee) {
  std::vector<std::uint64_t> found;
  for_each_instruction(code, address, [&](const Instruction& instruction) {
    if (instruction.is_call() && instruction.branch_target() == callee) found.push_back(instruction.address);
    return true;
  });
  return found;
}

std::optional<FunctionCode> code_of_runtime(const ElfFile& elf, const Pclntab& functions, std::string_view name) {
  constexpr std::uint64_t kMaxCode = 64U << 10U;  // the largest that is asked for has 8 KB
  const auto function = functions.runtime_function(name);
  if (!function) return std::nullopt;
  auto bytes = elf.read(function->entry, std::min(function->end - function->entry, kMaxCode));
  if (!bytes) return std::nullopt;
  return FunctionCode{.address = function->entry, .bytes = std::move(*bytes)};
}

}  // namespace goleakd::target
