// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace goleakd::snapshot {

// One range to read in a batch.
struct ReadRequest {
  std::uint64_t address = 0;
  std::span<std::uint8_t> into;
  bool done = false;  // set when all of it was read
};

// Somebody else's address space. What it holds changes while it is read, and may be anything: callers check.
class Memory {
 public:
  virtual ~Memory() = default;

  // All of `into`, or an error: gone when the process has ended, permission, invalid for an address that is not mapped.
  virtual Result<void> read(std::uint64_t address, std::span<std::uint8_t> into) const = 0;
  // As many of the requests as can be read; each says whether it was. Only what concerns all of them is an error.
  virtual Result<void> read(std::span<ReadRequest> requests) const = 0;

  template <typename T>
  Result<T> value(std::uint64_t address) const {
    T result{};
    auto ok = read(address, std::span(reinterpret_cast<std::uint8_t*>(&result), sizeof(T)));
    if (!ok) return fail(ok.error());
    return result;
  }
};

}  // namespace goleakd::snapshot
