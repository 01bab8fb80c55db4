// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "snapshot/core_notes.h"
#include "snapshot/core_ranges.h"

namespace goleakd::snapshot {

// A core file, of any program. The file belongs to others: nothing in it is believed before it is checked.
struct CoreImage {
  CoreNotes notes;
  FileRanges memory;

  // invalid: no core of an x86-64 process, one whose tables are cut short, or that breaks the rules. Memory that is cut
  // off is found out by who reads it.
  static Result<CoreImage> open(const std::string& path);
};

}  // namespace goleakd::snapshot
