// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "snapshot/memory.h"

namespace goleakd::snapshot {

// Many small ranges, read as few large ones: sorted by address, and neighbours with little between them at once. A call
// and a page cost more than the bytes (facts: a million g structs in 0.12 s so, in 0.45 s one by one). The buffers are
// kept from one use to the next.
class MergedRead {
 public:
  // Reading up to `max_gap` bytes for nothing costs less than another range.
  explicit MergedRead(std::uint64_t max_gap = 1024) : max_gap_(max_gap) {}

  void clear();
  // Address and size of the next range, which gets the next index. Larger than kMaxRange: not read. It costs least in
  // the order of their addresses.
  void add(std::uint64_t address, std::uint32_t size) {
    sorted_ = sorted_ && (ranges_.empty() || address >= ranges_.back().address);
    ranges_.push_back({address, size, kUnread});
  }
  std::size_t size() const { return ranges_.size(); }

  // Reads all that can be read. Only what concerns all of them is an error.
  Result<void> read(const Memory& memory);

  // Empty where the range could not be read. Good until the next clear() or read().
  ByteSpan operator[](std::size_t index) const {
    const Range& range = ranges_[index];
    return range.at == kUnread ? ByteSpan() : slice(bytes_, range.at, range.size);
  }

  static constexpr std::uint32_t kMaxRange = 64U << 10U;

 private:
  static constexpr std::uint64_t kUnread = ~std::uint64_t{0};
  struct Range {
    std::uint64_t address;
    std::uint32_t size;
    std::uint64_t at;  // in bytes_
  };
  struct Run {
    std::size_t first;  // by address
    std::size_t last;
    std::uint64_t address;
    std::uint64_t size;
    std::uint64_t at;
  };

  struct Place {
    std::uint64_t address;  // beside the index, for the sort to find it there
    std::uint32_t index;
  };

  // Of the range that is the place-th by address.
  std::size_t index_of(std::size_t place) const { return sorted_ ? place : order_[place].index; }
  void sort();
  void plan();
  Result<void> read_apart(const Memory& memory, const Run& run);

  std::uint64_t max_gap_;
  std::vector<Range> ranges_;
  bool sorted_ = true;
  std::vector<Place> order_;  // by address, unless they are sorted as they are
  std::vector<Run> runs_;
  std::vector<ReadRequest> requests_;
  std::vector<std::uint8_t> bytes_;
};

}  // namespace goleakd::snapshot
