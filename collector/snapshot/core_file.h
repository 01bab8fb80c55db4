// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "snapshot/memory.h"
#include "snapshot/unwinder.h"
#include "target/process.h"

namespace goleakd::snapshot {

// A Go program as a core file has kept it: written by the kernel when it died, or by gcore while it lived.
struct CoreProcess {
  std::shared_ptr<const target::GoProcess> process;
  std::unique_ptr<Memory> memory;                // what the core lacks (code, constants) comes from the executable
  std::map<std::uint64_t, UnwindStart> running;  // SnapshotOptions::running
  Instant died;                                  // on the runtime's clock (nanotime), as near as the core tells
};

// `binary` is the executable where it is now; empty: where the core says it was. invalid: no core of a 64-bit x86
// process, cut short, or one whose executable is another than `binary` (build ids differ). not_found, unsupported: as
// target::GoBinary.
Result<CoreProcess> open_core(const std::string& core, const std::string& binary, target::BinaryCache& binaries);

}  // namespace goleakd::snapshot
