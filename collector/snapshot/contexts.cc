// SPDX-License-Identifier: Apache-2.0
#include "snapshot/contexts.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "base/bytes.h"
#include "snapshot/context_state.h"
#include "snapshot/merged_read.h"
#include "snapshot/wait_objects.h"
#include "target/code.h"

namespace goleakd::snapshot {
namespace {

constexpr std::uint64_t kWord = 8;
constexpr std::uint16_t kTwoWords = 128;   // in bits, as operands are told
constexpr std::size_t kClosureWords = 17;  // of a closure: its function, and what it has captured

using State = ContextStates::State;

// The frame that a live word stands in.
struct Place {
  std::size_t goroutine = 0;  // index into the snapshot's
  std::size_t frame = 0;      // index into its stack's frames
};

class Finder {
 public:
  Finder(const target::GoProcess& process, const Memory& memory, const Snapshot& snapshot)
      : process_(process), memory_(memory), snapshot_(snapshot), states_(process, memory) {}

  std::vector<EndedContext> find() {
    read_stacks();
    read_pointers();
    std::vector<EndedContext> ended;
    ended.reserve(found_.size());
    for (const auto& [index, context] : found_) ended.push_back(context);
    return ended;
  }

 private:
  struct Pointer {
    Place place;
    std::uint64_t value = 0;
  };

  const std::vector<std::int64_t>& live_words(const StackFrame& frame) {
    const auto [known, fresh] = live_.try_emplace(frame.symbol_pc);
    if (fresh) {
      const auto function = process_.binary->functions().function_at(frame.symbol_pc);
      if (function && !function->name.starts_with("runtime."))
        known->second = process_.binary->stack_maps().live_words(*function, frame.symbol_pc);
    }
    return known->second;
  }

  // What the live words are, those just below them with them: an interface lies there as {itab, value}, and the map
  // names only the value.
  void read_stacks() {
    MergedRead read;
    std::vector<std::size_t> stopped;
    for (std::size_t i = 0; i < snapshot_.goroutines.size(); ++i) {
      const RawGoroutine& raw = snapshot_.raw[i];
      if (!raw.blocked() && raw.status != GStatus::syscall) continue;
      const std::uint64_t bytes = std::min<std::uint64_t>(raw.stack_hi - raw.stop_sp(), MergedRead::kMaxRange);
      read.add(raw.stop_sp(), static_cast<std::uint32_t>(bytes));
      stopped.push_back(i);
    }
    if (stopped.empty() || !read.read(memory_)) return;
    const std::vector<bool> still = still_stopped(process_.binary->layout(), memory_, snapshot_.raw);
    for (std::size_t n = 0; n < stopped.size(); ++n) {
      if (still[stopped[n]]) look_at(stopped[n], read[n]);
    }
  }

  void look_at(std::size_t goroutine, ByteSpan stack) {
    const std::vector<StackFrame>& frames = snapshot_.stacks[snapshot_.goroutines[goroutine].stack]->frames;
    for (std::size_t f = 0; f < frames.size() && frames[f].return_at != 0; ++f) {
      for (const std::int64_t word : live_words(frames[f])) {
        const std::uint64_t at = frames[f].return_at + static_cast<std::uint64_t>(word);
        const auto value = read_at<std::uint64_t>(stack, at);
        if (!value || *value == 0) continue;
        const Place place{.goroutine = goroutine, .frame = f};
        const auto before = read_at<std::uint64_t>(stack, at - kWord);
        if (before && states_.is_context(*before)) {
          add(place, states_.of({.itab = *before, .value = *value}));
        } else {
          pointers_.push_back({place, *value});
        }
      }
    }
  }

  // What they point to begins with a context, or is the closure of their frame's function.
  void read_pointers() {
    MergedRead read;
    for (const Pointer& pointer : pointers_) read.add(pointer.value, sizeof(Interface));
    if (pointers_.empty() || !read.read(memory_)) return;
    for (std::size_t i = 0; i < pointers_.size(); ++i) {
      const auto first = read_at<std::uint64_t>(read[i], 0);
      const auto second = read_at<std::uint64_t>(read[i], kWord);
      if (!first || !second) continue;
      const auto function = function_of(pointers_[i].place);
      if (function && process_.runtime_address(function->entry) == *first) {
        look_at_closure(pointers_[i], *function);
      } else if (states_.is_context(*first)) {
        add(pointers_[i].place, states_.of_object(pointers_[i].value, {.itab = *first, .value = *second}));
      }
    }
  }

  std::optional<target::Pclntab::Function> function_of(const Place& place) const {
    const auto& frames = snapshot_.stacks[snapshot_.goroutines[place.goroutine].stack]->frames;
    return process_.binary->functions().function_at(frames[place.frame].symbol_pc);
  }

  void look_at_closure(const Pointer& pointer, const target::Pclntab::Function& function) {
    std::array<std::uint64_t, kClosureWords> words{};
    // The last ones may be on a page that is not there.
    std::size_t size = words.size();
    while (size > 1 && !memory_.read(pointer.value, {reinterpret_cast<std::uint8_t*>(words.data()), size * kWord}))
      --size;
    const std::set<std::uint64_t>& used = captured(function);
    for (std::size_t i = 1; i + 1 < size; ++i) {
      if (!used.contains((i + 1) * kWord) || !states_.is_context(words[i])) continue;
      add(pointer.place, states_.of({.itab = words[i], .value = words[i + 1]}));
    }
  }

  // How far behind a pointer the function's code reads: what lies behind the end of its closure, it does not.
  const std::set<std::uint64_t>& captured(const target::Pclntab::Function& function) {
    const auto [known, fresh] = captured_.try_emplace(function.entry);
    if (!fresh) return known->second;
    const auto code = process_.binary->code_of(function);
    if (!code) return known->second;
    target::for_each_instruction(*code, function.entry, [&](const target::Instruction& instruction) {
      for (std::uint8_t i = 0; i < instruction.decoded.operand_count; ++i) {
        const ZydisDecodedOperand& operand = instruction.operands[i];
        if (operand.type != ZYDIS_OPERAND_TYPE_MEMORY || operand.mem.disp.value < 0) continue;
        if (operand.mem.base == ZYDIS_REGISTER_RSP || operand.mem.base == ZYDIS_REGISTER_RIP) continue;
        const auto offset = static_cast<std::uint64_t>(operand.mem.disp.value);
        known->second.insert(offset);
        if (operand.size == kTwoWords) known->second.insert(offset + kWord);
      }
      return true;
    });
    return known->second;
  }

  void add(const Place& place, State state) {
    const auto known = found_.find(place.goroutine);
    if (state == State::open || (known != found_.end() && known->second.frame <= place.frame)) return;
    found_[place.goroutine] = {
        .goroutine = place.goroutine, .frame = place.frame, .deadline = state == State::deadline};
  }

  const target::GoProcess& process_;
  const Memory& memory_;
  const Snapshot& snapshot_;
  ContextStates states_;
  std::map<std::uint64_t, std::vector<std::int64_t>> live_;    // by the frame's symbol_pc
  std::map<std::uint64_t, std::set<std::uint64_t>> captured_;  // by the function's entry
  std::vector<Pointer> pointers_;
  std::map<std::size_t, EndedContext> found_;  // by goroutine
};

}  // namespace

std::vector<EndedContext> find_ended_contexts(const target::GoProcess& process, const Memory& memory,
                                              const Snapshot& snapshot) {
  return Finder(process, memory, snapshot).find();
}

}  // namespace goleakd::snapshot
