// SPDX-License-Identifier: Apache-2.0
#include "snapshot/merged_read.h"

#include <algorithm>
#include <numeric>

namespace goleakd::snapshot {
namespace {

constexpr std::uint64_t kMaxGap = 1024;       // reading that much for nothing costs less than another range
constexpr std::uint64_t kMaxRun = 1U << 20U;  // so that one bad page does not take all with it

}  // namespace

void MergedRead::plan() {
  order_.clear();
  for (std::uint32_t i = 0; i < ranges_.size(); ++i) {
    const Range& range = ranges_[i];
    if (range.size > 0 && range.size <= kMaxRange && range.address + range.size > range.address) order_.push_back(i);
  }
  const auto address = [&](std::uint32_t i) { return ranges_[i].address; };
  if (!std::ranges::is_sorted(order_, {}, address)) std::ranges::sort(order_, {}, address);
  runs_.clear();
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < order_.size(); ++i) {
    Range& range = ranges_[order_[i]];
    const std::uint64_t end = range.address + range.size;
    if (!runs_.empty()) {
      Run& run = runs_.back();
      const std::uint64_t run_end = run.address + run.size;
      if ((range.address <= run_end || range.address - run_end <= kMaxGap) && end - run.address <= kMaxRun) {
        range.at = run.at + (range.address - run.address);
        run.size = std::max(run.size, end - run.address);
        at = run.at + run.size;
        run.last = i + 1;
        continue;
      }
    }
    runs_.push_back({.first = i, .last = i + 1, .address = range.address, .size = range.size, .at = at});
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
  for (std::size_t i = run.first; i < run.last; ++i) {
    const Range& range = ranges_[order_[i]];
    requests_.push_back(
        {.address = range.address, .into = std::span(bytes_).subspan(range.at, range.size), .done = false});
  }
  if (auto ok = memory.read(requests_); !ok) return ok;
  for (std::size_t i = run.first; i < run.last; ++i) {
    if (!requests_[i - run.first].done) ranges_[order_[i]].at = kUnread;
  }
  return {};
}

}  // namespace goleakd::snapshot
