// SPDX-License-Identifier: Apache-2.0
#include "target/dwarf_layout.h"

#include "fuzz_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const goleakd::UniqueFd fd = fuzz_file({data, size});
  (void)goleakd::target::layout_from_dwarf(fd.get(), "fuzz", {.minor = 24, .text = "go1.24"});
  return 0;
}
