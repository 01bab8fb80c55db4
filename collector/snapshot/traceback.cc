// SPDX-License-Identifier: Apache-2.0
#include "snapshot/traceback.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace goleakd::snapshot {
namespace {

constexpr std::string_view kRuntime = "runtime.";

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

// runtime.isExportedRuntime. Since Go 1.23 exported methods of exported types count too ("runtime.(*Func).Entry").
bool is_exported_runtime(std::string_view name, int minor) {
  name.remove_prefix(kRuntime.size());
  std::string_view receiver;
  if (const std::size_t dot = name.rfind('.'); minor >= 23 && dot != std::string_view::npos) {
    receiver = name.substr(0, dot);
    name.remove_prefix(dot + 1);
    if (receiver.starts_with("(*") && receiver.ends_with(')')) receiver = receiver.substr(2, receiver.size() - 3);
  }
  return !name.empty() && is_upper(name.front()) && (receiver.empty() || is_upper(receiver.front()));
}

bool is_panic(std::string_view function) {
  return function == "runtime.gopanic" || function == "runtime.sigpanic" || function == "runtime.panicwrap";
}

bool shown(const target::GoBinary& binary, const target::SourceFrame& frame, bool first, std::string_view callee) {
  const target::Layout& layout = binary.layout();
  if (frame.func_id == layout.func_id_wrapper && !is_panic(callee)) return false;
  const std::string_view name = frame.function;
  // Always shown from Go 1.25 on, to tell what the goroutine is.
  if (layout.minor >= 25 && (name == "runtime.runFinalizers" || name == "runtime.runCleanups")) return true;
  if (name == "runtime.gopanic" && !first) return true;
  if (name.find('.') == std::string_view::npos) return false;
  return !name.starts_with(kRuntime) || is_exported_runtime(name, layout.minor);
}

}  // namespace

std::vector<LogicalFrame> logical_frames(const target::GoBinary& binary, const std::vector<StackFrame>& frames) {
  std::vector<LogicalFrame> logical;
  for (const StackFrame& frame : frames) {
    const auto function = binary.functions().function_at(frame.pc);
    for (const target::SourceFrame& source : binary.symbolizer().frames(frame.symbol_pc)) {
      const std::uint64_t offset = source.inlined || !function ? 0 : frame.pc - function->entry;
      logical.push_back({.source = &source, .pc_offset = offset});
    }
  }
  return logical;
}

std::vector<LogicalFrame> shown_frames(const target::GoBinary& binary, const std::vector<LogicalFrame>& frames) {
  std::vector<LogicalFrame> kept;
  std::string_view callee;
  for (const LogicalFrame& frame : frames) {
    if (shown(binary, *frame.source, kept.empty(), callee)) kept.push_back(frame);
    callee = frame.source->function;
  }
  return kept;
}

std::optional<std::size_t> blocked_frame(const std::vector<LogicalFrame>& frames) {
  constexpr std::array<std::string_view, 5> kPlumbing{"runtime.", "runtime/", "sync.", "internal/", "syscall."};
  if (frames.empty()) return std::nullopt;
  const auto found = std::ranges::find_if(frames, [&](const LogicalFrame& frame) {
    return std::ranges::none_of(kPlumbing,
                                [&](std::string_view prefix) { return frame.source->function.starts_with(prefix); });
  });
  return found == frames.end() ? 0 : static_cast<std::size_t>(found - frames.begin());
}

std::optional<CreatedBy> created_by(const target::GoProcess& process, std::uint64_t goid, std::uint64_t gopc) {
  constexpr std::uint64_t kMainGoroutine = 1;
  const target::GoBinary& binary = *process.binary;
  const std::uint64_t pc = process.link_address(gopc);
  const auto function = binary.functions().function_at(pc);
  if (goid == kMainGoroutine || !function) return std::nullopt;
  const auto& frames = binary.symbolizer().frames(pc > function->entry ? pc - 1 : pc);
  if (frames.empty() || !shown(binary, frames.back(), false, {})) return std::nullopt;
  return CreatedBy{.function = frames.back().function,
                   .file = frames.front().file,
                   .line = frames.front().line,
                   .pc_offset = pc - function->entry};
}

}  // namespace goleakd::snapshot
