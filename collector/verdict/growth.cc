// SPDX-License-Identifier: Apache-2.0
#include "verdict/growth.h"

#include <algorithm>
#include <utility>

namespace goleakd::verdict {

GrowthWindow::GrowthWindow(const Thresholds& thresholds)
    : thresholds_(thresholds),
      slow_stride_(
          static_cast<int>(std::max<Duration::rep>(1, thresholds.accumulating_window / thresholds.growing_window))) {}

void GrowthWindow::change(const Thresholds& thresholds) {
  GrowthWindow fresh(thresholds);
  if (fresh.interval(Scale::quick) != interval(Scale::quick) || fresh.span(Scale::slow) != span(Scale::slow) ||
      fresh.slow_stride_ != slow_stride_) {
    *this = std::move(fresh);
  } else {
    thresholds_ = thresholds;
  }
}

void GrowthWindow::add(const Moment& moment, const std::map<std::string, Sample>& samples) {
  const std::size_t kept = span(Scale::slow) + 1;
  moments_.push_back(moment);
  if (moments_.size() > kept) moments_.pop_front();
  for (const auto& [id, sample] : samples) series_.try_emplace(id);
  for (auto it = series_.begin(); it != series_.end();) {
    auto& [id, series] = *it;
    const auto sample = samples.find(id);
    series.push_back(sample == samples.end() ? Sample{} : sample->second);
    if (series.size() > kept) series.pop_front();
    // One that is gone and was never there need not be kept.
    const bool nothing = sample == samples.end() && std::ranges::count(series, Sample{}) == std::ssize(series);
    it = nothing ? series_.erase(it) : std::next(it);
  }
}

const Moment* GrowthWindow::interval_ago(Scale scale) const {
  if (moments_.empty()) return nullptr;
  const auto back = std::min(static_cast<std::size_t>(stride(scale)), moments_.size());
  return &moments_[moments_.size() - back];
}

bool GrowthWindow::complete(Scale scale, Instant quiet_until) const {
  return moments_.size() > span(scale) && moments_[moments_.size() - 1 - span(scale)].at >= quiet_until;
}

std::optional<Growth> GrowthWindow::checked(const std::string& id, Scale scale, Instant quiet_until) const {
  return complete(scale, quiet_until) ? std::optional(of(id, scale)) : std::nullopt;
}

Growth GrowthWindow::of(const std::string& id, Scale scale) const {
  Growth growth;
  const auto found = series_.find(id);
  if (found == series_.end() || moments_.empty()) return growth;
  const std::deque<Sample>& series = found->second;
  const auto which = static_cast<std::size_t>(scale);
  const auto step = static_cast<std::size_t>(stride(scale));
  const auto ago = [&](std::size_t evaluations) {
    return evaluations < series.size() ? series[series.size() - 1 - evaluations] : Sample{};
  };
  const std::size_t intervals = std::min(span(scale), moments_.size() - 1) / step;
  std::uint64_t watched = 0;
  std::uint64_t survived = 0;
  Sample::Count before = ago(intervals * step).at_scale[which];
  growth.from = growth.to = before.now;
  for (std::size_t i = intervals; i-- > 0;) {
    const Sample::Count now = ago(i * step).at_scale[which];
    ++growth.intervals;
    if (now.now > before.now) ++growth.rises;
    watched += before.now;
    // The begin of a park may become known as earlier than it was thought (a collection stamps it), and a goid be taken
    // late: never more than there were.
    survived += std::min(now.survived, before.now);
    growth.to = now.now;
    before = now;
  }
  std::uint64_t counted = 0;
  std::uint64_t awake = 0;
  for (std::size_t i = 0; i <= intervals * step; ++i) {
    counted += ago(i).at_scale[which].now;
    awake += ago(i).awake;
  }
  const Moment& first = moments_[moments_.size() - 1 - intervals * step];
  const Moment& last = moments_.back();
  growth.over = last.at - first.at;
  growth.connections = static_cast<std::int64_t>(last.connections) - static_cast<std::int64_t>(first.connections);
  growth.requests = static_cast<std::int64_t>(last.requests) - static_cast<std::int64_t>(first.requests);
  if (watched > 0) growth.survival = static_cast<double>(survived) / static_cast<double>(watched);
  if (counted > 0) growth.awake = static_cast<double>(awake) / static_cast<double>(counted);
  if (growth.to > growth.from && growth.over > Duration(0)) {
    const double hours = std::chrono::duration<double, std::ratio<3600>>(growth.over).count();
    growth.per_hour = static_cast<double>(growth.to - growth.from) / hours;
  }
  growth.holds = growth.rises >= thresholds_.growing_rises && growth.survival >= thresholds_.growing_survival &&
                 growth.to > growth.from;
  return growth;
}

}  // namespace goleakd::verdict
