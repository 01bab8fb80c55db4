// SPDX-License-Identifier: Apache-2.0
#include "snapshot/core_memory.h"

#include <fmt/format.h>

namespace goleakd::snapshot {

Result<void> CoreMemory::read(std::uint64_t address, std::span<std::uint8_t> into) const {
  while (!into.empty()) {
    auto got = core_.read(address, into);
    if (got && *got == 0) got = executable_.read(address, into);
    if (!got) return fail(got.error());
    if (*got == 0) {
      return fail(ErrorKind::invalid, fmt::format("{} has not kept the memory at {:#x}", core_.path(), address));
    }
    address += *got;
    into = into.subspan(*got);
  }
  return {};
}

Result<void> CoreMemory::read(std::span<ReadRequest> requests) const {
  for (ReadRequest& request : requests) request.done = read(request.address, request.into).has_value();
  return {};
}

}  // namespace goleakd::snapshot
