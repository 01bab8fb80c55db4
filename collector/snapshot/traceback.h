// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "snapshot/snapshot.h"
#include "target/process.h"
#include "target/symbolizer.h"

namespace goleakd::snapshot {

// One logical frame with its place in the physical function.
struct LogicalFrame {
  const target::SourceFrame* source = nullptr;  // lives as long as the binary's symbolizer
  std::uint64_t pc_offset = 0;                  // from the function's entry; 0 for inlined frames
};

// All logical frames, innermost first: the runtime's own and wrappers included.
std::vector<LogicalFrame> logical_frames(const target::GoBinary& binary, const std::vector<StackFrame>& frames);

// Those that the runtime's tracebacks show at their default level (showfuncinfo in src/runtime/traceback.go): no
// functions of the runtime but exported ones and panics, no compiler-made wrappers.
std::vector<LogicalFrame> shown_frames(const target::GoBinary& binary, const std::vector<LogicalFrame>& frames);

// The frame that a goroutine is blocked in, for people: the innermost one outside the runtime, sync and the standard
// library's inner plumbing (internal/…, syscall); the innermost of all when there is no other. Index into `frames`,
// nothing when empty.
std::optional<std::size_t> blocked_frame(const std::vector<LogicalFrame>& frames);

// The `go` statement at g.gopc, as "created by" shows it.
struct CreatedBy {
  std::string function;  // the physical one
  std::string file;      // of the statement, also where its function was inlined
  int line = 0;
  std::uint64_t pc_offset = 0;
};
// Nothing for the main goroutine and where the runtime itself started it.
std::optional<CreatedBy> created_by(const target::GoProcess& process, std::uint64_t goid, std::uint64_t gopc);

}  // namespace goleakd::snapshot
