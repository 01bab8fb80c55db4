// SPDX-License-Identifier: Apache-2.0
#include "snapshot/frame_pointers.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "snapshot/go_words.h"
#include "snapshot/merged_read.h"

namespace goleakd::snapshot {
namespace {

constexpr std::uint64_t kWord = sizeof(std::uint64_t);
constexpr std::uint64_t kWindow = 512;             // bytes from the stack pointer on: gopark and its next callers
constexpr std::size_t kChunk = 4096;               // goroutines at a time
constexpr std::size_t kMaxCandidates = 1U << 20U;  // words tried in all

class Search {
 public:
  Search(const Memory& memory, std::span<const Sought> sought, std::uint32_t size, const IsTheObject& is_it)
      : memory_(memory), sought_(sought), size_(size), is_it_(is_it), found_(sought.size()) {}

  std::vector<std::uint64_t> run() {
    for (std::size_t begin = 0; begin < sought_.size(); begin += kChunk) {
      if (!chunk(begin, std::min(begin + kChunk, sought_.size()))) break;
    }
    return std::move(found_);
  }

 private:
  struct Candidate {
    std::size_t of;  // index into sought
    std::uint64_t address;
    std::uint64_t offset;  // from the stack pointer
  };

  bool chunk(std::size_t begin, std::size_t end) {
    begin_ = begin;
    windows_.clear();
    for (std::size_t i = begin; i < end; ++i) {
      const RawGoroutine& g = *sought_[i].g;
      const bool inside = g.sched_sp >= g.stack_lo && g.sched_sp < g.stack_hi;
      windows_.add(g.sched_sp, inside ? static_cast<std::uint32_t>(std::min(kWindow, g.stack_hi - g.sched_sp)) : 0);
    }
    if (!windows_.read(memory_)) return false;  // the process has ended
    std::vector<Candidate> known;
    std::vector<Candidate> first;  // all words of one goroutine of each stack that is new
    std::unordered_set<std::uint32_t> asked;
    for (std::size_t i = begin; i < end; ++i) {
      if (add_known(i, known)) continue;
      if (asked.insert(sought_[i].stack).second) add_all(i, first);
    }
    if (!check(known) || !check(first)) return false;
    known.clear();
    for (std::size_t i = begin; i < end; ++i) {
      if (found_[i] == 0) add_known(i, known);
    }
    if (!check(known)) return false;
    std::vector<Candidate> rest;
    for (std::size_t i = begin; i < end; ++i) {
      if (found_[i] == 0) add_all(i, rest);
    }
    return check(rest);
  }

  // A pointer into the own stack is none to an object that others must find.
  bool possible(const RawGoroutine& g, std::uint64_t word) const {
    return is_pointer(word) && (word < g.stack_lo || word >= g.stack_hi);
  }

  bool add_known(std::size_t i, std::vector<Candidate>& candidates) {
    const auto offset = offsets_.find(sought_[i].stack);
    if (offset == offsets_.end()) return false;
    const auto word = read_at<std::uint64_t>(windows_[i - begin_], offset->second);
    if (word && possible(*sought_[i].g, *word)) candidates.push_back({i, *word, offset->second});
    return true;
  }

  void add_all(std::size_t i, std::vector<Candidate>& candidates) {
    const ByteSpan window = windows_[i - begin_];
    std::unordered_set<std::uint64_t> words;
    for (std::uint64_t at = 0; at < window.size() && tried_ < kMaxCandidates; at += kWord) {
      const std::uint64_t word = read_at<std::uint64_t>(window, at).value_or(0);
      if (!possible(*sought_[i].g, word) || !words.insert(word).second) continue;
      candidates.push_back({i, word, at});
      ++tried_;
    }
  }

  bool check(const std::vector<Candidate>& candidates) {
    objects_.clear();
    for (const Candidate& candidate : candidates) objects_.add(candidate.address, size_);
    if (!objects_.read(memory_)) return false;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const auto& [of, address, offset] = candidates[i];
      if (found_[of] != 0 || objects_[i].empty() || !is_it_(*sought_[of].g, address, objects_[i])) continue;
      found_[of] = address;
      offsets_[sought_[of].stack] = offset;
    }
    return true;
  }

  const Memory& memory_;
  std::span<const Sought> sought_;
  std::uint32_t size_;
  const IsTheObject& is_it_;
  std::vector<std::uint64_t> found_;
  std::unordered_map<std::uint32_t, std::uint64_t> offsets_;  // by stack: where the pointer was
  std::size_t begin_ = 0;
  std::size_t tried_ = 0;
  MergedRead windows_;
  MergedRead objects_;
};

}  // namespace

std::vector<std::uint64_t> find_frame_pointers(const Memory& memory, std::span<const Sought> sought, std::uint32_t size,
                                               const IsTheObject& is_it) {
  return Search(memory, sought, size, is_it).run();
}

}  // namespace goleakd::snapshot
