// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/process_memory.h"
#include "target/process.h"

namespace goleakd::snapshot {

// What a program never changes once it runs, types and texts of its source above all: from its memory while it lives,
// and from the file of its code when it has died. Whoever asks knows that it is a constant.
class ConstantMemory final : public Memory {
 public:
  // Borrows `process`.
  explicit ConstantMemory(const target::GoProcess& process) : process_(process), memory_(process.pid) {}

  using Memory::read;
  Result<void> read(std::uint64_t address, std::span<std::uint8_t> into) const override;
  Result<void> read(std::span<ReadRequest> requests) const override;

 private:
  const target::GoProcess& process_;
  ProcessMemory memory_;
};

}  // namespace goleakd::snapshot
