// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "target/elf_file.h"

namespace goleakd::target {

// A table bigger than this is refused: the largest real ones (Kubernetes, Docker) are below 60 MB.
inline constexpr std::uint64_t kMaxFunctionTable = 256U << 20U;

// Where a file has its Go function table (Pclntab). Nothing when it is no Go program.
std::optional<ElfFile::Section> find_function_table(const ElfFile& elf);

}  // namespace goleakd::target
