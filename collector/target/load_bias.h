// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "target/elf_file.h"
#include "target/procfs.h"

namespace goleakd::target {

// How far from its link-time addresses a file was loaded: the difference between its first mapping and the segment that
// this mapping shows. Nothing when it shows none.
std::optional<std::uint64_t> load_bias(const Procfs::Mapping& first, const ElfFile& elf);

}  // namespace goleakd::target
