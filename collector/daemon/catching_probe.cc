// SPDX-License-Identifier: Apache-2.0
#include "daemon/catching_probe.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "probe/hit_counters.h"

namespace goleakd::daemon {
namespace {

// Between two turns: whoever comes only now and then is caught some day.
constexpr Duration kPause = std::chrono::minutes(1);
constexpr Duration kLongestPause = std::chrono::minutes(16);

}  // namespace

void CatchingProbe::end_turn(Instant now, bool storm) {
  const goleakd_counters counters = probe_->counters();
  const Duration length = now - began_;
  looked_ += length;
  probe::add(past_, counters);
  const auto hits = std::accumulate(std::begin(counters.hits), std::end(counters.hits), std::uint64_t{0});
  hit_rate_.reset();
  if (!storm && length > Duration(0))
    hit_rate_ = static_cast<double>(hits) / std::chrono::duration<double>(length).count();
  pause_ = storm ? std::clamp(2 * pause_, kPause, kLongestPause) : kPause;
  probe_.reset();
  next_turn_ = now + pause_;
}

void CatchingProbe::adjust(probe::Prober& prober, const probe::Plan& plan, const std::vector<probe::Wanted>& sought,
                           Duration turn, std::uint32_t window_hits, Instant now) {
  if (attached()) {
    const bool storm = probe_->counters().lost_storm > 0;
    if (storm || sought.empty() || now - began_ >= turn) return end_turn(now, storm);
    if (auto ok = probe_->want(sought); !ok)
      spdlog::warn("{} (pid {}): {}", process_.service, process_.pid, ok.error().message());
    return;
  }
  if (sought.empty() || turn == Duration(0) || now < next_turn_ || !plan.has(group_)) return;
  auto probe = prober.attach_to_catch(process_, plan, group_, sought, window_hits);
  if (!probe) {
    next_turn_ = now + kPause;
    spdlog::warn("{} (pid {}): {} can't be seen: {}", process_.service, process_.pid, to_string(group_),
                 probe.error().message());
    return;
  }
  probe_ = std::move(*probe);
  began_ = MonotonicClock::now();
  spdlog::info("{} (pid {}): looking for the {}", process_.service, process_.pid, to_string(group_));
}

std::optional<std::uint16_t> CatchingProbe::slot() const {
  return attached() ? std::optional(probe_->slot()) : std::nullopt;
}

bool CatchingProbe::lost() const {
  if (!attached()) return false;
  const goleakd_counters counters = probe_->counters();
  return counters.lost_ring + counters.lost_unreadable + counters.lost_storm > 0;
}

goleakd_counters CatchingProbe::counters() const {
  goleakd_counters sum = past_;
  if (attached()) probe::add(sum, probe_->counters());
  return sum;
}

}  // namespace goleakd::daemon
