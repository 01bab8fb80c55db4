// SPDX-License-Identifier: Apache-2.0
#include "target/elf_handle.h"

#include <gelf.h>

namespace goleakd::target {

std::optional<std::size_t> section_names(Elf* elf, std::uint64_t limit) {
  std::size_t names = 0;
  GElf_Shdr header{};
  if (elf_getshdrstrndx(elf, &names) != 0 || gelf_getshdr(elf_getscn(elf, names), &header) == nullptr ||
      header.sh_size > limit || (header.sh_flags & SHF_COMPRESSED) != 0) {
    return std::nullopt;
  }
  return names;
}

}  // namespace goleakd::target
