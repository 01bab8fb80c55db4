// SPDX-License-Identifier: Apache-2.0
#include "target/build_info.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)goleakd::target::BuildInfo::parse({data, size});
  return 0;
}
