// SPDX-License-Identifier: Apache-2.0
#include "base/hex.h"

#include <array>
#include <charconv>

namespace goleakd {

std::string hex(std::uint64_t value) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
  return "0x" + std::string(digits.data(), end);
}

}  // namespace goleakd
