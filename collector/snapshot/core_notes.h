// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace goleakd::snapshot {

// What the notes of a core file tell (fs/binfmt_elf.c, fill_note_info): whatever of it is there and whole.
struct CoreNotes {
  struct Thread {
    std::uint64_t pc = 0;
    std::uint64_t sp = 0;
  };
  struct MappedFile {
    std::uint64_t start = 0;
    std::uint64_t end = 0;
    std::string path;
  };

  int pid = 0;
  std::vector<Thread> threads;
  std::vector<MappedFile> files;
  // Of the executable: getauxval(3), AT_ENTRY, AT_PHDR, AT_PHNUM.
  std::optional<std::uint64_t> entry;
  std::uint64_t headers = 0;
  std::uint64_t header_count = 0;

  static CoreNotes parse(ByteSpan notes);
  // Path of the file that the executable was; empty when nothing tells.
  std::string executable() const;
};

}  // namespace goleakd::snapshot
