// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace goleakd {

// FNV-1a over 64 bits, with a separator after each part so that ("ab","c") and ("a","bc") differ. It makes ids that
// people copy between hosts and versions, so its result must never change: tests pin it.
class StableHash {
 public:
  StableHash& add(std::string_view part);
  StableHash& add(std::uint64_t part);
  std::uint64_t value() const { return state_; }
  // 16 lower-case hexadecimal digits.
  std::string hex() const;

 private:
  void add_byte(unsigned char byte);
  std::uint64_t state_ = 0xcbf29ce484222325U;
};

// Fast and good for tables in memory (the finaliser of splitmix64). Not for anything that outlives the process.
constexpr std::uint64_t mix_words(std::uint64_t a, std::uint64_t b) {
  std::uint64_t x = a * 0x9e3779b97f4a7c15U + b;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

}  // namespace goleakd
