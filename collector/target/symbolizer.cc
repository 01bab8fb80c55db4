// SPDX-License-Identifier: Apache-2.0
#include "target/symbolizer.h"

#include <optional>

namespace goleakd::target {
namespace {

constexpr int kMaxInlineDepth = 200;  // a cycle in a broken tree ends here
// Real programs show some thousand pcs, of 300 bytes each. One that shows a new one every time must not fill our
// memory.
constexpr std::size_t kMaxMemory = 32U << 20U;

std::size_t memory_of(const std::vector<SourceFrame>& frames) {
  constexpr std::size_t kNode = 64;
  std::size_t bytes = kNode + frames.capacity() * sizeof(SourceFrame);
  for (const SourceFrame& frame : frames) {
    bytes += frame.function.capacity() + frame.generic.capacity() + frame.file.capacity();
  }
  return bytes;
}

SourceFrame frame(std::string_view name, const Pclntab::Line& line, std::uint8_t func_id) {
  SourceFrame frame{.function = printable_function(name),
                    .generic = {},
                    .file = std::string(line.file),
                    .line = line.line,
                    .inlined = false,
                    .func_id = func_id};
  if (frame.function != name) frame.generic = name;
  return frame;
}

}  // namespace

Symbolizer::Symbolizer(const ElfFile& elf, const Pclntab& functions, std::uint64_t gofunc)
    : functions_(functions), inlining_(elf, functions, gofunc) {}

const std::vector<SourceFrame>& Symbolizer::frames(std::uint64_t pc) const {
  static const std::vector<SourceFrame> kNone;
  static const std::vector<SourceFrame> kBeyondLimit{{.function = "?", .generic = {}, .file = "?"}};
  if (!functions_.function_at(pc)) return kNone;  // what is asked for may be no pc at all: not worth remembering
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(pc);
  if (found != known_.end()) return found->second;
  if (memory_ > kMaxMemory) return kBeyondLimit;
  const auto& frames = known_.emplace(pc, resolve(pc)).first->second;
  memory_ += memory_of(frames);
  return frames;
}

std::size_t Symbolizer::memory() const {
  const std::lock_guard lock(mutex_);
  return memory_;
}

std::vector<SourceFrame> Symbolizer::resolve(std::uint64_t pc) const {
  std::vector<SourceFrame> frames;
  const auto function = functions_.function_at(pc);
  if (!function) return frames;
  for (int depth = 0; depth < kMaxInlineDepth; ++depth) {
    const auto call = inlining_.call_at(*function, pc);
    if (!call) break;
    frames.push_back(frame(functions_.name_at(call->name), functions_.line(*function, pc), call->func_id));
    frames.back().inlined = true;
    pc = function->entry + call->parent_pc;
  }
  frames.push_back(frame(function->name, functions_.line(*function, pc), function->id));
  return frames;
}

std::string printable_function(std::string_view name) {
  std::string text;
  int depth = 0;
  for (const char c : name) {
    if (c == '[' && depth++ == 0) text += "[...]";
    if (depth == 0) text += c;
    if (c == ']' && depth > 0) --depth;
  }
  return text;
}

}  // namespace goleakd::target
