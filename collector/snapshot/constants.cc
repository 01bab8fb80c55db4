// SPDX-License-Identifier: Apache-2.0
#include "snapshot/constants.h"

#include <algorithm>

namespace goleakd::snapshot {

Result<void> ConstantMemory::read(std::uint64_t address, std::span<std::uint8_t> into) const {
  const target::ElfFile& elf = process_.binary->elf();
  const std::uint64_t in_file = process_.link_address(address);
  // A PIE has its types where the linker writes once, before the program begins; addresses among them are not in the
  // file.
  if (elf.is_writable(in_file)) {
    if (auto ok = memory_.read(address, into)) return ok;
  }
  const auto bytes = elf.read(in_file, into.size());
  if (!bytes) return memory_.read(address, into);  // of a plugin
  std::ranges::copy(*bytes, into.begin());
  return {};
}

Result<void> ConstantMemory::read(std::span<ReadRequest> requests) const {
  for (ReadRequest& request : requests) request.done = read(request.address, request.into).has_value();
  return {};
}

}  // namespace goleakd::snapshot
