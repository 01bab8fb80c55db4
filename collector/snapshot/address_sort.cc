// SPDX-License-Identifier: Apache-2.0
#include "snapshot/address_sort.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace goleakd::snapshot {
namespace {

constexpr int kLowest = 3;  // bits below are 0
constexpr int kDigit = 11;  // bits: their 2048 counters, and as many places being written to, stay in the caches
constexpr std::size_t kDigits = std::size_t{1} << kDigit;

}  // namespace

void sort_addresses(LargeArray<std::uint64_t>& addresses, LargeArray<std::uint64_t>& scratch) {
  if (std::ranges::is_sorted(addresses)) return;
  if (addresses.size() < kDigits) {
    std::ranges::sort(addresses);
    return;
  }
  const auto [least, most] = std::ranges::minmax(addresses);
  for (int shift = kLowest; ((most - least) >> shift) != 0; shift += kDigit) {
    const auto digit = [&, base = least](std::uint64_t address) { return (address - base) >> shift & (kDigits - 1); };
    std::array<std::size_t, kDigits> next{};  // place for the next address with this digit
    for (const std::uint64_t address : addresses) ++next[digit(address)];
    std::size_t before = 0;
    for (std::size_t& count : next) {
      const std::size_t place = before;
      before += count;
      count = place;
    }
    for (const std::uint64_t address : addresses) scratch[next[digit(address)]++] = address;
    addresses.swap(scratch);
  }
}

}  // namespace goleakd::snapshot
