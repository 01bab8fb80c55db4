// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "snapshot/core_notes.h"
#include "snapshot/core_ranges.h"
#include "target/go_binary.h"

namespace goleakd::snapshot {

// An executable laid to where the process of a core had it.
struct LoadedProgram {
  std::uint64_t load_bias = 0;
  FileRanges contents;  // what the process could not write, at its run-time addresses

  // invalid, naming both build ids, when the core is of another build than `binary`; `path` is for messages.
  static Result<LoadedProgram> match(const target::GoBinary& binary, const std::string& path, const CoreNotes& notes,
                                     const FileRanges& core);
};

// The build id of the ELF program whose program headers stand at `headers` in memory: GNU's in hex, else Go's. Empty
// when it has none, or the memory lacks it.
std::string build_id_in(const FileRanges& memory, std::uint64_t headers, std::uint64_t count);

}  // namespace goleakd::snapshot
