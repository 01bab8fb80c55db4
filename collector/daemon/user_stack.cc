// SPDX-License-Identifier: Apache-2.0
#include "daemon/user_stack.h"

#include "snapshot/unwinder.h"

namespace goleakd::daemon {

std::vector<snapshot::LogicalFrame> frames_at(const target::GoProcess& process,
                                              std::span<const std::uint64_t> return_addresses) {
  const target::GoBinary& binary = *process.binary;
  std::vector<snapshot::StackFrame> frames;
  bool interrupted = false;
  for (const std::uint64_t return_address : return_addresses) {
    const std::uint64_t pc = process.link_address(return_address);
    frames.push_back({.pc = pc, .symbol_pc = interrupted ? pc : pc - 1, .return_at = 0});
    // What a signal has made to look as if it had called sigpanic has not: it stands at the very instruction.
    const auto function = binary.functions().function_at(pc - 1);
    interrupted = function && function->name == "runtime.sigpanic";
  }
  return snapshot::logical_frames(binary, frames);
}

std::vector<ledger::Frame> shown_stack(const target::GoProcess& process,
                                       const std::vector<snapshot::LogicalFrame>& frames) {
  std::vector<ledger::Frame> shown;
  for (const snapshot::LogicalFrame& frame : snapshot::shown_frames(*process.binary, frames)) {
    shown.push_back({.function = frame.source->function, .file = frame.source->file, .line = frame.source->line});
  }
  return shown;
}

ledger::Frame innermost_of_program(const std::vector<snapshot::LogicalFrame>& frames) {
  const auto at = snapshot::blocked_frame(frames);
  if (!at) return {};
  const target::SourceFrame& source = *frames[*at].source;
  return {.function = source.function, .file = source.file, .line = source.line};
}

}  // namespace goleakd::daemon
