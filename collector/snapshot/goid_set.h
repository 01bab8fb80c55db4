// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bitset>
#include <cstdint>
#include <utility>
#include <vector>

namespace goleakd::snapshot {

// A few goroutines by their ids. A walk asks it of each one that it meets, of whom nearly none is meant: so most are
// told apart by one bit.
class GoidSet {
 public:
  GoidSet() = default;
  explicit GoidSet(std::vector<std::uint64_t> goids) : goids_(std::move(goids)) {
    std::ranges::sort(goids_);
    for (const std::uint64_t goid : goids_) bits_.set(goid % kBits);
  }

  bool contains(std::uint64_t goid) const {
    return bits_.test(goid % kBits) && std::ranges::binary_search(goids_, goid);
  }
  bool empty() const { return goids_.empty(); }

 private:
  static constexpr std::size_t kBits = 1024;
  std::vector<std::uint64_t> goids_;  // sorted
  std::bitset<kBits> bits_;
};

}  // namespace goleakd::snapshot
