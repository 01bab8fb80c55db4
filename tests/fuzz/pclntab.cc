// SPDX-License-Identifier: Apache-2.0
// Pclntab: parsing, and every look-up at the borders of every function.
#include "target/pclntab.h"

#include <algorithm>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t kText = 0x401000;
  constexpr std::uint32_t kMaxFunctions = 64;
  using goleakd::target::Pclntab;
  (void)Pclntab::header({data, size});
  const auto table = Pclntab::parse(std::vector<std::uint8_t>(data, data + size), kText);
  if (!table) return 0;
  for (std::uint32_t i = 0; i < std::min(table->size(), kMaxFunctions); ++i) {
    const auto function = table->function(i);
    if (!function || function->end < function->entry) std::abort();  // parse() has looked at each
    for (const std::uint64_t pc : {function->entry, function->entry + 1, function->end - 1, function->end}) {
      (void)table->function_at(pc);
      (void)table->sp_delta(*function, pc);
      (void)table->line(*function, pc);
      for (std::uint32_t index = 0; index < 4; ++index) (void)table->pcdata(*function, index, pc);
    }
    for (std::uint32_t index = 0; index < 8; ++index) (void)table->funcdata(*function, index);
  }
  (void)table->runtime_function("runtime.park_m");
  (void)table->name_at(static_cast<std::uint32_t>(size));
  return 0;
}
