// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/core_ranges.h"
#include "snapshot/memory.h"

namespace goleakd::snapshot {

// The address space of a process as its core file has kept it. Code and constants, which cores leave out as a rule
// (core(5): coredump_filter), come from the executable.
class CoreMemory final : public Memory {
 public:
  // `executable` holds only what the process could not write.
  CoreMemory(FileRanges core, FileRanges executable) : core_(std::move(core)), executable_(std::move(executable)) {}

  using Memory::read;
  Result<void> read(std::uint64_t address, std::span<std::uint8_t> into) const override;
  Result<void> read(std::span<ReadRequest> requests) const override;

 private:
  FileRanges core_;
  FileRanges executable_;
};

}  // namespace goleakd::snapshot
