// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <array>
#include <cstdio>

namespace goleakd {

void StableHash::add_byte(unsigned char byte) {
  state_ ^= byte;
  state_ *= 0x100000001b3U;
}

StableHash& StableHash::add(std::string_view part) {
  for (char c : part) add_byte(static_cast<unsigned char>(c));
  add_byte(0);
  return *this;
}

StableHash& StableHash::add(std::uint64_t part) {
  for (unsigned shift = 0; shift < 64; shift += 8) add_byte(static_cast<unsigned char>(part >> shift));
  return *this;
}

std::string StableHash::hex() const {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(state_));
  return text.data();
}

}  // namespace goleakd
