// SPDX-License-Identifier: Apache-2.0
#include "history/slow_leak.h"

#include <algorithm>
#include <cmath>

namespace goleakd::history {
namespace {

struct Rise {
  double start = 0;
  double rise = 0;
  double per_hour = 0;
};

// Nothing: it does not rise steadily.
std::optional<Rise> rise_of(const RunCounts& run, const SlowLeakThresholds& thresholds) {
  const std::vector<std::uint64_t> floors = run.floors();
  std::size_t rises = 0;
  for (std::size_t i = 1; i < floors.size(); ++i) rises += floors[i] > floors[i - 1] ? 1 : 0;
  if (rises < thresholds.rises) return std::nullopt;
  const auto start = static_cast<double>(floors.front());
  const double rise = static_cast<double>(floors.back()) - start;
  return Rise{.start = start, .rise = rise, .per_hour = rise / run.hours()};
}

double median(std::vector<Rise> rises, double Rise::*of) {
  const auto middle = rises.begin() + static_cast<std::ptrdiff_t>(rises.size() / 2);
  std::ranges::nth_element(rises, middle, {}, of);
  return (*middle).*of;
}

}  // namespace

RunCounts::RunCounts(Seconds started, Seconds first_seen, Seconds last_seen, std::size_t parts)
    : started_(started), first_seen_(first_seen), last_seen_(std::max(first_seen, last_seen)), least_(parts) {}

void RunCounts::add(Seconds at, std::uint64_t least) {
  const Seconds length = last_seen_ - first_seen_ + 1;
  const Seconds into = std::clamp<Seconds>(at - first_seen_, 0, length - 1);
  auto& part = least_.at(static_cast<std::size_t>(into) * least_.size() / static_cast<std::size_t>(length));
  part = std::min(part.value_or(least), least);
}

bool RunCounts::can_be_judged(const SlowLeakThresholds& thresholds) const {
  const Seconds watched = last_seen_ - first_seen_;
  if (watched < thresholds.least_uptime || least_.size() < 2) return false;
  const auto unseen = static_cast<double>(first_seen_ - started_);
  if (unseen > thresholds.watched_from * static_cast<double>(last_seen_ - started_)) return false;
  // A part without any sample, while goleakd was away, may be missing; but neither end.
  return least_.front() && least_.back() && std::ranges::count_if(least_, [](const auto& one) { return !one; }) <= 1;
}

std::vector<std::uint64_t> RunCounts::floors() const {
  std::vector<std::uint64_t> floors;
  for (const auto& least : least_) {
    if (least) floors.push_back(*least);
  }
  for (std::size_t i = floors.size(); i-- > 1;) floors[i - 1] = std::min(floors[i - 1], floors[i]);
  return floors;
}

double RunCounts::hours() const {
  const auto parts = static_cast<double>(least_.size());
  return static_cast<double>(last_seen_ - first_seen_) * (parts - 1) / parts / 3600;
}

std::optional<SlowTrend> slow_trend(std::span<const RunCounts> runs, const SlowLeakThresholds& thresholds) {
  std::size_t judged = 0;
  std::vector<Rise> rises;
  for (const RunCounts& run : runs) {
    if (judged == thresholds.runs_looked_at) break;
    if (!run.can_be_judged(thresholds)) continue;
    ++judged;
    if (const auto rise = rise_of(run, thresholds)) rises.push_back(*rise);
  }
  if (judged < thresholds.runs || rises.empty()) return std::nullopt;
  SlowTrend trend{.runs = judged,
                  .rising = 0,
                  .per_hour = median(rises, &Rise::per_hour),
                  .start = median(rises, &Rise::start),
                  .rise = median(rises, &Rise::rise)};
  for (const Rise& one : rises) {
    const bool from_there = std::abs(one.start - trend.start) <= thresholds.starts_apart * trend.rise;
    const bool as_steep = one.per_hour <= thresholds.slopes_apart * trend.per_hour &&
                          one.per_hour * thresholds.slopes_apart >= trend.per_hour;
    if (from_there && as_steep) ++trend.rising;
  }
  if (static_cast<double>(trend.rising) < thresholds.rising * static_cast<double>(judged)) return std::nullopt;
  return trend;
}

}  // namespace goleakd::history
