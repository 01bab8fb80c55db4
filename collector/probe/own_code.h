// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

namespace goleakd::probe {

// A function of this program that exists to be probed. It does nothing, and at `site` `g` is where runtime.ready has
// its argument.
struct OwnFunction {
  void (*call)(const void* g);
  const void* site;  // the instruction to be probed
};

// Begins as Go's functions do behind their stack check: with `push %rbp`, which the kernel emulates.
extern const OwnFunction kEmulatedFunction;
// Begins with `sub $8,%rsp`, which the kernel lets the processor step over out of line.
extern const OwnFunction kSteppedFunction;

// Where in /proc/self/exe an address of this program is; nothing when the file does not hold it.
std::optional<std::uint64_t> own_file_offset(const void* address);

}  // namespace goleakd::probe
