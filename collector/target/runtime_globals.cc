// SPDX-License-Identifier: Apache-2.0
#include "target/runtime_globals.h"

#include <algorithm>
#include <set>
#include <string>

#include "target/code.h"

namespace goleakd::target {
namespace {

constexpr std::uint64_t kWord = 8;

Result<std::uint64_t> allgs_by_decoding(const ElfFile& elf, const Pclntab& functions) {
  const auto function = functions.runtime_function("runtime.allgadd");
  if (!function)
    return fail(ErrorKind::not_found, "runtime.allgs: no symbol, and no function runtime.allgadd to find it by");
  constexpr std::uint64_t kMaxFunction = 64U << 10U;  // the real one has 300 bytes
  const auto code = elf.read(function->entry, std::min(function->end - function->entry, kMaxFunction));
  if (!code) return fail(code.error().within("runtime.allgadd"));
  std::set<std::uint64_t> named;
  for_each_instruction(*code, function->entry, [&](const Instruction& instruction) {
    if (const auto address = instruction.rip_relative()) named.insert(*address);
    return true;
  });
  std::set<std::uint64_t> bases;
  for (const std::uint64_t address : named) {
    if (named.contains(address + kWord) && named.contains(address + 2 * kWord) && !named.contains(address - kWord)) {
      bases.insert(address);
    }
  }
  if (bases.size() != 1) {
    return fail(ErrorKind::not_found, "runtime.allgs: runtime.allgadd names " + std::to_string(bases.size()) +
                                          " slices where one was expected");
  }
  return *bases.begin();
}

}  // namespace

Result<RuntimeGlobals> RuntimeGlobals::find(const ElfFile& elf, const Pclntab& functions) {
  RuntimeGlobals globals;
  if (const auto symbol = elf.symbol("runtime.allgs")) {
    globals.allgs = *symbol;
    return globals;
  }
  const auto allgs = allgs_by_decoding(elf, functions);
  if (!allgs) return fail(allgs.error());
  globals.allgs = *allgs;
  return globals;
}

}  // namespace goleakd::target
