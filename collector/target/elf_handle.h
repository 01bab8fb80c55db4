// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <libelf.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace goleakd::target {

struct ElfEnd {
  void operator()(Elf* elf) const { elf_end(elf); }
};
// libelf's view of a file, whose descriptor it borrows.
using ElfHandle = std::unique_ptr<Elf, ElfEnd>;

// The section that holds the names of sections, for elf_strptr(). Nothing when there is none, when it is larger than
// `limit`, and when it is compressed: libelf would decompress it, to any size.
std::optional<std::size_t> section_names(Elf* elf, std::uint64_t limit);

}  // namespace goleakd::target
