// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace goleakd {

// "0xc000012345".
std::string hex(std::uint64_t value);

}  // namespace goleakd
