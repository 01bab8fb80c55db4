// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <vector>

#include "snapshot/memory.h"

namespace goleakd::snapshot {

// An address space made of blocks; everything between them is unmapped.
class FakeMemory : public Memory {
 public:
  using Memory::read;

  void map(std::uint64_t address, std::size_t size) { blocks_[address].resize(size); }
  template <typename T>
  void put(std::uint64_t address, T value) {
    std::uint8_t* at = find(address, sizeof(T));
    ASSERT_NE(at, nullptr);
    std::memcpy(at, &value, sizeof(T));
  }

  Result<void> read(std::uint64_t address, std::span<std::uint8_t> into) const override {
    const std::uint8_t* at = const_cast<FakeMemory*>(this)->find(address, into.size());
    if (at == nullptr) return fail(ErrorKind::invalid, "unmapped");
    std::memcpy(into.data(), at, into.size());
    return {};
  }
  Result<void> read(std::span<ReadRequest> requests) const override {
    for (ReadRequest& request : requests) request.done = read(request.address, request.into).has_value();
    return {};
  }

 private:
  std::uint8_t* find(std::uint64_t address, std::size_t size) {
    auto block = blocks_.upper_bound(address);
    if (block == blocks_.begin()) return nullptr;
    --block;
    const std::uint64_t offset = address - block->first;
    if (offset + size > block->second.size()) return nullptr;
    return block->second.data() + offset;
  }

  std::map<std::uint64_t, std::vector<std::uint8_t>> blocks_;
};

}  // namespace goleakd::snapshot
