// SPDX-License-Identifier: Apache-2.0
#include "target/build_version.h"

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "target/code.h"

namespace goleakd::target {
namespace {

constexpr std::uint64_t kWord = 8;

// schedinit: `if buildVersion == "" { buildVersion = "unknown" }`. What is compared with 0 and set to 7, the length of
// "unknown", is the length of buildVersion, its second word. From Go 1.19 to 1.27 nothing else there looks like that.
std::optional<std::uint64_t> build_version_by_decoding(const ElfFile& elf, const Pclntab& functions) {
  constexpr std::uint64_t kUnknownLength = 7;
  const auto code = code_of_runtime(elf, functions, "runtime.schedinit");
  if (!code) return std::nullopt;
  std::set<std::uint64_t> compared;
  std::set<std::uint64_t> found;
  for_each_instruction(code->bytes, code->address, [&](const Instruction& instruction) {
    const auto address = instruction.rip_relative();
    const auto value = instruction.immediate();
    if (!address || !value) return true;
    if (instruction.is(ZYDIS_MNEMONIC_CMP) && *value == 0) compared.insert(*address);
    if (instruction.is(ZYDIS_MNEMONIC_MOV) && *value == kUnknownLength && compared.contains(*address)) {
      found.insert(*address);
    }
    return true;
  });
  if (found.size() != 1) return std::nullopt;
  return *found.begin() - kWord;
}

}  // namespace

Result<GoVersion> version_from_code(const ElfFile& elf, const Pclntab& functions) {
  const auto unknown = [](std::string_view why) {
    return fail(ErrorKind::unsupported, "the Go version is unknown: no section .go.buildinfo, and " + std::string(why));
  };
  auto address = elf.symbol("runtime.buildVersion");
  if (!address) address = build_version_by_decoding(elf, functions);
  if (!address) return unknown("runtime.schedinit does not name runtime.buildVersion as it should");
  const auto text = elf.read_string(*address, 128);
  if (!text) return unknown("runtime.buildVersion is not readable in the file");
  auto version = GoVersion::parse(*text);
  if (!version) return unknown("runtime.buildVersion is no version of Go 1");
  return *version;
}

}  // namespace goleakd::target
