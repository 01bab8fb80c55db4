// SPDX-License-Identifier: Apache-2.0
// GoBinary as a whole: what its parts have let pass meets here.
#include "target/go_binary.h"

#include "fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto binary = goleakd::target::GoBinary::open(fuzz_file({data, size}), "fuzz");
  if (!binary) return 0;
  const auto& functions = (*binary)->functions();
  for (std::uint32_t i = 0; i < functions.size() && i < 16; ++i) {
    const auto function = functions.function(i);
    if (!function) continue;
    (void)(*binary)->symbolizer().frames(function->entry);
    (void)(*binary)->stack_maps().live_words(*function, function->entry + 5);
    (void)(*binary)->code_of(*function);
    (void)(*binary)->go_statement_ordinal(function->entry + 1);
    (void)(*binary)->is_range_receive(function->entry + 5);
  }
  return 0;
}
