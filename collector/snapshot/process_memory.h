// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/memory.h"

namespace goleakd::snapshot {

// A live process, by process_vm_readv: it is neither stopped nor signalled, and needs CAP_SYS_PTRACE or the same user.
class ProcessMemory final : public Memory {
 public:
  explicit ProcessMemory(int pid) : pid_(pid) {}

  using Memory::read;
  Result<void> read(std::uint64_t address, std::span<std::uint8_t> into) const override;
  Result<void> read(std::span<ReadRequest> requests) const override;

 private:
  int pid_;
};

}  // namespace goleakd::snapshot
