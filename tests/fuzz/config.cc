// SPDX-License-Identifier: Apache-2.0
#include "daemon/config.h"

#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)goleakd::daemon::Config::parse(std::string(reinterpret_cast<const char*>(data), size), "fuzz.yaml");
  return 0;
}
