// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "target/elf_file.h"
#include "target/pclntab.h"

namespace goleakd::target {

// runtime.waitReasonStrings (src/runtime/runtime2.go), as the code of runtime.waitReason.String uses it: that is where
// its length stands too.
struct WaitReasonArray {
  std::uint64_t address = 0;  // link-time; of an array of string headers
  std::uint32_t count = 0;    // 1..256

  static std::optional<WaitReasonArray> find(const ElfFile& elf, const Pclntab& functions);
  // What the file holds there (needs its link tables). Nothing unless it is a list of short texts that begins with the
  // empty one, as the runtime's does.
  std::optional<std::vector<std::string>> read(const ElfFile& elf) const;
};

}  // namespace goleakd::target
