// SPDX-License-Identifier: Apache-2.0
#include "snapshot/unwinder.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace goleakd::snapshot {
namespace {

constexpr std::uint64_t kWord = 8;
constexpr std::uint64_t kMoreBytes = 16U << 10U;

// A walk only goes up: what lies below the word that is missing is not needed again.
std::optional<std::uint64_t> word_at(const Memory& memory, StackBytes& stack, std::uint64_t address) {
  if (address < stack.base || stack.end < kWord || address > stack.end - kWord) return std::nullopt;
  if (const auto word = read_at<std::uint64_t>(stack.bytes, address - stack.base)) return word;
  stack.base = address;
  stack.bytes.resize(std::min(stack.end - address, kMoreBytes));
  if (!memory.read(stack.base, stack.bytes)) {
    stack.bytes.clear();
    return std::nullopt;
  }
  return read_at<std::uint64_t>(stack.bytes, 0);
}

// The runtime makes these calls from where a signal struck: their caller's pc is no return address.
bool is_injected_call(std::string_view function) {
  return function == "runtime.asyncPreempt" || function == "runtime.sigpanic" || function == "runtime.debugCallV2";
}

}  // namespace

UnwindEnd unwind(const target::Pclntab& functions, const Memory& memory, StackBytes& stack, const UnwindStart& start,
                 std::size_t max_frames, std::vector<StackFrame>& frames) {
  std::uint64_t sp = start.sp;
  std::uint64_t at = start.pc - start.load_bias;
  bool interrupted = false;
  while (frames.size() < max_frames) {
    const auto function = functions.function_at(at);
    if (!function) return UnwindEnd::broken;
    frames.push_back({.pc = at, .symbol_pc = interrupted || at == function->entry ? at : at - 1, .return_at = 0});
    if (function->top_frame) return UnwindEnd::top;
    const auto delta = functions.sp_delta(*function, at);
    if (!delta || *delta < 0) return UnwindEnd::broken;
    sp += static_cast<std::uint64_t>(*delta);
    const auto return_address = word_at(memory, stack, sp);
    if (!return_address) return UnwindEnd::broken;
    frames.back().return_at = sp - start.sp;
    if (*return_address == 0) return UnwindEnd::top;
    sp += kWord;
    at = *return_address - start.load_bias;
    interrupted = is_injected_call(function->name);
  }
  return UnwindEnd::too_deep;
}

}  // namespace goleakd::snapshot
