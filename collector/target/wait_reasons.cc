// SPDX-License-Identifier: Apache-2.0
#include "target/wait_reasons.h"

#include <algorithm>
#include <set>

#include "target/code.h"

namespace goleakd::target {
namespace {

constexpr std::uint64_t kStringHeader = 16;
constexpr std::uint64_t kMaxCount = 256;  // waitReason is a uint8
constexpr std::uint64_t kMaxText = 64;

}  // namespace

// `if w >= waitReason(len(waitReasonStrings)) { return "unknown wait reason" }; return waitReasonStrings[w]`: one
// comparison with a constant and one address of a variable (the text is a constant, and not in writable memory).
std::optional<WaitReasonArray> WaitReasonArray::find(const ElfFile& elf, const Pclntab& functions) {
  const auto code = code_of_runtime(elf, functions, "runtime.waitReason.String");
  if (!code) return std::nullopt;
  std::set<std::uint64_t> addresses;
  std::set<std::uint64_t> counts;
  for_each_instruction(code->bytes, code->address, [&](const Instruction& instruction) {
    const auto named = instruction.rip_relative();
    if (instruction.is(ZYDIS_MNEMONIC_LEA) && named && elf.is_writable(*named)) addresses.insert(*named);
    const auto value = instruction.immediate();
    if (instruction.is(ZYDIS_MNEMONIC_CMP) && value) counts.insert(*value);
    return true;
  });
  if (addresses.size() != 1 || counts.size() != 1 || *counts.begin() == 0 || *counts.begin() > kMaxCount) {
    return std::nullopt;
  }
  return WaitReasonArray{.address = *addresses.begin(), .count = static_cast<std::uint32_t>(*counts.begin())};
}

std::optional<std::vector<std::string>> WaitReasonArray::read(const ElfFile& elf) const {
  std::vector<std::string> texts;
  for (std::uint32_t i = 0; i < count; ++i) {
    auto text = elf.read_string(address + i * kStringHeader, kMaxText);
    const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
    if (!text || text->empty() != (i == 0) || !std::ranges::all_of(*text, printable)) return std::nullopt;
    texts.push_back(std::move(*text));
  }
  return texts;
}

}  // namespace goleakd::target
