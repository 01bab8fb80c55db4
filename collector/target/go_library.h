// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "target/binary_cache.h"
#include "target/procfs.h"

namespace goleakd::target {

// A Go runtime that a program of another language has loaded with a library (buildmode c-shared): there is one runtime
// in it as in any Go program, only in another file. One that was linked in (c-archive) is in the executable itself, and
// a plugin's program is a Go program: neither needs this.
struct GoLibrary {
  std::string path;  // as the process sees it
  std::shared_ptr<const GoBinary> binary;
  std::uint64_t load_bias = 0;
};

// Looks through the libraries of a process whose executable is no Go program. not_found: there is no Go in it.
// unsupported, invalid: there is, and it cannot be watched: several runtimes at once, or as GoBinary. permission, gone:
// nobody knows.
Result<GoLibrary> find_go_library(const Procfs& proc, BinaryCache& binaries, int pid);

}  // namespace goleakd::target
