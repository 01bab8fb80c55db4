// SPDX-License-Identifier: Apache-2.0
#include "snapshot/merged_read.h"

#include <algorithm>

namespace goleakd::snapshot {
namespace {

constexpr std::uint64_t kMaxRun = 1U << 20U;  // so that one bad page does not take all with it

}  // namespace

void MergedRead::clear() {
  ranges_.clear();
  sorted_ = true;
}

void MergedRead::sort() {
  if (sorted_) return;
  order_.clear();
  for (std::uint32_t i = 0; i < ranges_.size(); ++i) order_.push_back({.address = ranges_[i].address, .index = i});
  // Stable, for it is faster with what comes in runs, as memory that is handed out does.
  std::ranges::stable_sort(order_, {}, &Place::address);
}

void MergedRead::plan() {
  sort();
  runs_.clear();
  std::uint64_t at = 0;
  for (std::size_t place = 0; place < ranges_.size(); ++place) {
    Range& range = ranges_[index_of(place)];
    const std::uint64_t end = range.address + range.size;
    if (range.size > kMaxRange || end <= range.address) continue;
    if (!runs_.empty()) {
      Run& run = runs_.back();
      const std::uint64_t run_end = run.address + run.size;
      if ((range.address <= run_end || range.address - run_end <= max_gap_) && end - run.address <= kMaxRun) {
        range.at = run.at + (range.address - run.address);
        run.size = std::max(run.size, end - run.address);
        at = run.at + run.size;
        run.last = place + 1;
        continue;
      }
    }
    runs_.push_back({.first = place, .last = place + 1, .address = range.address, .size = range.size, .at = at});
    range.at = at;
    at += range.size;
  }
  if (bytes_.size() < at) bytes_.resize(at);
}

Result<void> MergedRead::read(const Memory& memory) {
  plan();
  requests_.clear();
  for (const Run& run : runs_) {
    requests_.push_back({.address = run.address, .into = std::span(bytes_).subspan(run.at, run.size), .done = false});
  }
  if (auto ok = memory.read(requests_); !ok) return ok;
  std::vector<Run> failed;
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    if (!requests_[i].done) failed.push_back(runs_[i]);
  }
  for (const Run& run : failed) {
    if (auto ok = read_apart(memory, run); !ok) return ok;
  }
  return {};
}

// Something in the run is not mapped: find out what.
Result<void> MergedRead::read_apart(const Memory& memory, const Run& run) {
  requests_.clear();
  std::vector<std::size_t> indices;
  for (std::size_t place = run.first; place < run.last; ++place) {
    const std::size_t index = index_of(place);
    const Range& range = ranges_[index];
    if (range.at == kUnread) continue;
    indices.push_back(index);
    requests_.push_back(
        {.address = range.address, .into = std::span(bytes_).subspan(range.at, range.size), .done = false});
  }
  if (auto ok = memory.read(requests_); !ok) return ok;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (!requests_[i].done) ranges_[indices[i]].at = kUnread;
  }
  return {};
}

}  // namespace goleakd::snapshot
