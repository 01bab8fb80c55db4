// SPDX-License-Identifier: Apache-2.0
#include "probe/site.h"

#include <optional>
#include <string>

#include "target/code.h"

namespace goleakd::probe {
namespace {

using target::Instruction;

bool is_register(const ZydisDecodedOperand& operand, ZydisRegister which) {
  return operand.type == ZYDIS_OPERAND_TYPE_REGISTER && operand.reg.value == which;
}

// `cmp 0x10(%r14), %rsp` or, in functions with large frames, `… , %r12`: against g.stackguard0.
bool is_stack_compare(const Instruction& i) {
  return i.is(ZYDIS_MNEMONIC_CMP) &&
         (is_register(i.operands[0], ZYDIS_REGISTER_RSP) || is_register(i.operands[0], ZYDIS_REGISTER_R12)) &&
         i.operands[1].type == ZYDIS_OPERAND_TYPE_MEMORY && i.operands[1].mem.base == ZYDIS_REGISTER_R14;
}

// `lea -N(%rsp), %r12`: the stack pointer after a large frame.
bool is_large_frame(const Instruction& i) {
  return i.is(ZYDIS_MNEMONIC_LEA) && is_register(i.operands[0], ZYDIS_REGISTER_R12) &&
         i.operands[1].mem.base == ZYDIS_REGISTER_RSP;
}

bool is_push_frame(const Instruction& i) {
  return i.is(ZYDIS_MNEMONIC_PUSH) && is_register(i.operands[0], ZYDIS_REGISTER_RBP);
}

// `sub $N, %rsp`: Go up to 1.20 saves the frame pointer behind it.
bool is_frame_made(const Instruction& i) {
  return i.is(ZYDIS_MNEMONIC_SUB) && is_register(i.operands[0], ZYDIS_REGISTER_RSP) &&
         i.operands[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
}

}  // namespace

std::string_view to_string(SiteKind kind) {
  switch (kind) {
    case SiteKind::push_frame:
      return "push %rbp";
    case SiteKind::stack_check:
      return "jbe";
    case SiteKind::call:
      return "call";
    case SiteKind::stepped:
      return "sub";
  }
  return "?";
}

Result<Site> entry_site(ByteSpan code, std::uint64_t address, std::string_view name) {
  std::optional<Site> site;
  bool compared = false;
  target::for_each_instruction(code, address, [&](const Instruction& i) {
    if (is_push_frame(i)) {
      site = Site{.address = i.address, .kind = SiteKind::push_frame};
      return false;
    }
    if (compared && !site && i.is(ZYDIS_MNEMONIC_JBE)) {
      site = Site{.address = i.address, .kind = SiteKind::stack_check};
      return true;  // the push may follow
    }
    if (!compared && is_large_frame(i)) return true;
    if (!compared && is_stack_compare(i)) return compared = true;
    return false;
  });
  if (!site) {
    return fail(ErrorKind::unsupported, std::string(name) + " begins in a way that is not known; it is not probed");
  }
  return *site;
}

Result<Site> cold_entry_site(ByteSpan code, std::uint64_t address, std::string_view name) {
  auto site = entry_site(code, address, name);
  if (site) return site;
  target::for_each_instruction(code, address, [&](const Instruction& i) {
    if (is_frame_made(i)) site = Site{.address = i.address, .kind = SiteKind::stepped};
    return false;
  });
  return site;
}

std::vector<Site> call_sites(ByteSpan code, std::uint64_t address, std::uint64_t callee) {
  std::vector<Site> sites;
  for (const std::uint64_t call : target::calls_to(code, address, callee)) {
    sites.push_back({.address = call, .kind = SiteKind::call});
  }
  return sites;
}

}  // namespace goleakd::probe
