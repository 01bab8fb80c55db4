// SPDX-License-Identifier: Apache-2.0
#include "history/columns.h"

#include <algorithm>

namespace goleakd::history {

Columns::Columns(Seconds begin, Seconds end, std::size_t number, Seconds finest)
    : begin_(step_begin(begin, std::max<Seconds>(finest, 1))), finest_(std::max<Seconds>(finest, 1)) {
  const Seconds span = std::max<Seconds>(end - begin_, 1);
  const auto wanted = static_cast<Seconds>(number);
  const Seconds exact = (span + wanted - 1) / wanted;
  width_ = (exact + finest_ - 1) / finest_ * finest_;
  columns_.resize(static_cast<std::size_t>((span + width_ - 1) / width_));
}

void Columns::add(Seconds step, Seconds start, std::uint64_t looks, std::uint64_t total, std::uint64_t most) {
  if (step != bucket_.step || start != bucket_.start) {
    spread();
    bucket_ = {.step = step, .start = start};
  }
  bucket_.looks += looks;
  bucket_.most_looks = std::max(bucket_.most_looks, looks);
  bucket_.total += total;
  bucket_.most = std::max(bucket_.most, most);
}

// As many looks as the step has room for, or as one process has had: what is beyond that came from processes that ran
// at the same time.
void Columns::spread() {
  if (bucket_.looks == 0) return;
  const auto room = static_cast<std::uint64_t>(std::max<Seconds>(bucket_.step / finest_, 1));
  const std::uint64_t looks = std::max(bucket_.most_looks, std::min(bucket_.looks, room));
  const double mean = static_cast<double>(bucket_.total) / static_cast<double>(looks);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Seconds from = begin_ + static_cast<Seconds>(i) * width_;
    const Seconds shared = std::min(from + width_, bucket_.start + bucket_.step) - std::max(from, bucket_.start);
    if (shared <= 0) continue;
    Column& column = columns_[i];
    column.weighted += mean * static_cast<double>(shared);
    column.seconds += static_cast<double>(shared);
    column.most = std::max(column.most, bucket_.most);
  }
}

std::vector<Count> Columns::take() {
  spread();
  bucket_ = {};
  std::vector<Count> counts;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    if (column.seconds == 0) continue;
    counts.push_back({.at = begin_ + static_cast<Seconds>(i) * width_,
                      .seconds = width_,
                      .mean = column.weighted / column.seconds,
                      .most = column.most});
  }
  return counts;
}

}  // namespace goleakd::history
