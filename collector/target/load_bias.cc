// SPDX-License-Identifier: Apache-2.0
#include "target/load_bias.h"

#include <unistd.h>

namespace goleakd::target {

std::optional<std::uint64_t> load_bias(const Procfs::Mapping& first, const ElfFile& elf) {
  const auto page_mask = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) - 1;
  for (const ElfFile::Segment& segment : elf.segments()) {
    if ((segment.offset & ~page_mask) == first.offset) return first.start - (segment.address & ~page_mask);
  }
  return std::nullopt;
}

}  // namespace goleakd::target
