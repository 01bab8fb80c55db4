// SPDX-License-Identifier: Apache-2.0
// A version is a text of somebody's choice, and what it says chooses the layout.
#include "target/go_version.h"

#include "target/layout.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto version = goleakd::target::GoVersion::parse({reinterpret_cast<const char*>(data), size});
  if (version) (void)goleakd::target::layout_for(*version, size % 2 == 0);
  return 0;
}
