// SPDX-License-Identifier: Apache-2.0
#include "snapshot/lock_holders.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "base/bytes.h"
#include "snapshot/merged_read.h"
#include "snapshot/wait_objects.h"
#include "target/lock_code.h"

namespace goleakd::snapshot {
namespace {

constexpr std::size_t kChunk = 1024;  // stacks that are read at once
// Bytes of one stack. One that goes deeper is read no further.
constexpr std::uint64_t kMaxOfOne = MergedRead::kMaxRange;

// Those through which a goroutine waits: whose frame it is that waits comes after them.
bool is_waiting(std::string_view function) {
  if (function.starts_with("internal/")) function.remove_prefix(std::string_view("internal/").size());
  return function.starts_with("runtime.") || function.starts_with("sync.runtime_") ||
         function.starts_with("sync.(*Mutex).") || function.starts_with("sync.(*RWMutex).") ||
         function.starts_with("sync.(*WaitGroup).Wait");
}

class Holders {
 public:
  Holders(const target::GoProcess& process, const Memory& memory, const Snapshot& snapshot,
          std::span<const LockHolders::Lock> locks, std::span<const std::uint32_t> awaited)
      : process_(process), memory_(memory), snapshot_(snapshot), locks_(locks), awaited_(awaited) {}

  LockHolders find() {
    if (locks_.empty()) return {};
    some_wait_group_ = std::ranges::any_of(locks_, &LockHolders::Lock::wait_group);
    by_address_.resize(locks_.size());
    for (std::uint32_t i = 0; i < by_address_.size(); ++i) by_address_[i] = i;
    std::ranges::sort(by_address_, {}, [&](std::uint32_t i) { return locks_[i].address; });
    find_frames();
    std::vector<std::size_t> candidates;
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < snapshot_.goroutines.size(); ++i) {
      const Goroutine& g = snapshot_.goroutines[i];
      if (frames_[g.stack].empty()) continue;
      bytes += bytes_of(i);
      if (bytes > kMaxStackBytes) {
        ++found_.unread;
      } else {
        candidates.push_back(i);
      }
    }
    for (std::size_t begin = 0; begin < candidates.size(); begin += kChunk) {
      look_at(std::span(candidates).subspan(begin, std::min(kChunk, candidates.size() - begin)));
    }
    return std::move(found_);
  }

 private:
  // A frame of a stack that may hold a lock, or call Done.
  struct Frame {
    std::size_t index = 0;    // into the stack's
    std::uint64_t begin = 0;  // of its words, in bytes from the stack pointer
    std::uint64_t end = 0;
    const target::LockCode* code = nullptr;
    bool holds = false;
    bool calls_done = false;
    bool waits = false;  // it is the one that waits
  };

  const target::LockCode& code_of(const target::Pclntab::Function& function) {
    const auto known = codes_.find(function.entry);
    if (known != codes_.end()) return known->second;
    return codes_.emplace(function.entry, target::lock_code(*process_.binary, function)).first->second;
  }

  // Of each stack those frames that may hold a lock.
  void find_frames() {
    frames_.resize(snapshot_.stacks.size());
    for (std::size_t s = 0; s < snapshot_.stacks.size(); ++s) {
      const std::vector<StackFrame>& frames = snapshot_.stacks[s]->frames;
      std::uint64_t begin = 0;
      bool waited = false;
      for (std::size_t i = 0; i < frames.size() && frames[i].return_at != 0; ++i) {
        const std::uint64_t from = begin;
        begin = frames[i].return_at + sizeof(std::uint64_t);
        const auto function = process_.binary->functions().function_at(frames[i].symbol_pc);
        if (!function || (!waited && is_waiting(function->name))) continue;
        Frame frame{.index = i, .begin = from, .end = frames[i].return_at, .waits = !waited};
        waited = true;
        frame.code = &code_of(*function);
        const std::uint64_t place = target::place_of(*process_.binary, *function, frames[i].pc);
        frame.holds = frame.code->may_hold_at(place);
        frame.calls_done = some_wait_group_ && frame.code->may_call_done_at(place);
        if (frame.holds || frame.calls_done) frames_[s].push_back(frame);
      }
    }
  }

  std::uint64_t bytes_of(std::size_t goroutine) const {
    return std::min(frames_[snapshot_.goroutines[goroutine].stack].back().end, kMaxOfOne);
  }

  void look_at(std::span<const std::size_t> goroutines) {
    MergedRead read;
    for (const std::size_t i : goroutines)
      read.add(snapshot_.raw[i].stop_sp(), static_cast<std::uint32_t>(bytes_of(i)));
    if (!read.read(memory_)) {
      found_.unread += goroutines.size();
      return;
    }
    std::vector<RawGoroutine> raw;
    raw.reserve(goroutines.size());
    for (const std::size_t i : goroutines) raw.push_back(snapshot_.raw[i]);
    const std::vector<bool> still = still_stopped(process_.binary->layout(), memory_, raw);
    for (std::size_t n = 0; n < goroutines.size(); ++n) {
      // Whoever has moved on meanwhile holds nothing for good.
      if (!still[n]) continue;
      if (read[n].empty()) {
        ++found_.unread;
        continue;
      }
      for (const Frame& frame : frames_[snapshot_.goroutines[goroutines[n]].stack])
        look_at(goroutines[n], frame, read[n]);
    }
  }

  void look_at(std::size_t goroutine, const Frame& frame, ByteSpan stack) {
    for (const std::uint64_t global : frame.code->globals) add(goroutine, frame, process_.runtime_address(global));
    const std::uint64_t lowest = locks_[by_address_.front()].address;
    const auto& last = locks_[by_address_.back()];
    const std::uint64_t reach = frame.code->displacements.back();
    for (std::uint64_t at = frame.begin; at + sizeof(std::uint64_t) <= frame.end; at += sizeof(std::uint64_t)) {
      const auto word = read_at<std::uint64_t>(stack, at);
      if (!word) return;
      if (*word + reach < lowest || *word >= last.address + last.bytes) continue;
      for (const std::uint32_t offset : frame.code->displacements) add(goroutine, frame, *word + offset);
    }
  }

  // The frame can name `address`.
  void add(std::size_t goroutine, const Frame& frame, std::uint64_t address) {
    const auto after =
        std::ranges::upper_bound(by_address_, address, {}, [&](std::uint32_t i) { return locks_[i].address; });
    if (after == by_address_.begin()) return;
    const std::uint32_t index = *std::prev(after);
    const LockHolders::Lock& lock = locks_[index];
    if (address - lock.address >= lock.bytes) return;
    if (!(lock.wait_group ? frame.calls_done : frame.holds)) return;
    // That names it because it waits for it.
    if (frame.waits && awaited_[goroutine] == index) return;
    // Those of one goroutine come one after the other.
    for (auto hold = found_.holds.rbegin(); hold != found_.holds.rend() && hold->goroutine == goroutine; ++hold) {
      if (hold->lock == index) return;
    }
    found_.holds.push_back({.goroutine = goroutine, .frame = frame.index, .lock = index});
  }

  const target::GoProcess& process_;
  const Memory& memory_;
  const Snapshot& snapshot_;
  std::span<const LockHolders::Lock> locks_;
  std::span<const std::uint32_t> awaited_;
  bool some_wait_group_ = false;
  std::vector<std::uint32_t> by_address_;            // indices into the locks
  std::map<std::uint64_t, target::LockCode> codes_;  // by the function's entry
  std::vector<std::vector<Frame>> frames_;           // by stack, innermost first
  LockHolders found_;
};

}  // namespace

LockHolders find_lock_holders(const target::GoProcess& process, const Memory& memory, const Snapshot& snapshot,
                              std::span<const LockHolders::Lock> locks, std::span<const std::uint32_t> awaited) {
  return Holders(process, memory, snapshot, locks, awaited).find();
}

}  // namespace goleakd::snapshot
