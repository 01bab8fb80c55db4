// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "target/layout.h"

namespace goleakd::target {

// The layout as the executable's own debug information tells it, for a runtime that no table knows. What DWARF does not
// hold (wait reasons) and the few types that the linker leaves out of a program that has none of them (sync.Cond, say)
// are those of the nearest version in the table. `path` is for messages; the file is read through `fd`, at offsets of
// its own, and need not be of this machine's architecture.
// not_found: no debug information of a Go runtime. invalid: it is broken, too large, or not of a runtime as goleakd
// knows it.
Result<Layout> layout_from_dwarf(int fd, const std::string& path, const GoVersion& version);

// The same, without a table: sets sizes, offsets and func_id_wrapper in `layout`, and gives the names of the structs
// (members of Layout) that the debug information lacks and that were left as they were.
Result<std::vector<std::string_view>> read_offsets(int fd, const std::string& path, Layout& layout);

}  // namespace goleakd::target
