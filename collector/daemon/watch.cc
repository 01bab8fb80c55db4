// SPDX-License-Identifier: Apache-2.0
#include "daemon/watch.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <numeric>

namespace goleakd::daemon {
namespace {

// A target that keeps failing is asked less and less often, up to this.
constexpr Duration kMaxBackoff = std::chrono::minutes(5);
// One that has just begun may not have its runtime in place yet: that is no failure.
constexpr Duration kYouth = std::chrono::seconds(10);
constexpr Duration kRetryWhileYoung = std::chrono::milliseconds(500);

std::uint64_t total_hits(const goleakd_counters& counters) {
  return std::accumulate(std::begin(counters.hits), std::end(counters.hits), std::uint64_t{0});
}

void add(goleakd_counters& sum, const goleakd_counters& more) {
  for (std::size_t kind = 0; kind < GOLEAKD_KINDS; ++kind) sum.hits[kind] += more.hits[kind];
  sum.lost_ring += more.lost_ring;
  sum.lost_unreadable += more.lost_unreadable;
}

}  // namespace

Watch::Watch(std::shared_ptr<const target::GoProcess> process, const Config& config)
    : process_(std::move(process)),
      config_(config),
      translator_(*process_, ledger_),
      engine_(process_->service, config.thresholds),
      plan_(probe::plan_probes(*process_->binary)),
      not_attached_("its probes go in within a second"),
      next_snapshot_(MonotonicClock::now()) {}

void Watch::attach(probe::Prober* prober, const std::string& unavailable, Instant now) {
  if (attachment_ || (retry_at_ && now < *retry_at_)) return;
  if (config_.mode == WatchMode::snapshots) {
    not_attached_ = "the configuration asks for snapshots only";
    return;
  }
  if (prober == nullptr) {
    not_attached_ = unavailable;
    return;
  }
  // Perf events take a tenth of a second each to detach, with the application trapping all the while: only few, and
  // once.
  const bool sparing = prober->method() == probe::Method::perf_event && config_.mode == WatchMode::automatic;
  if (sparing && ceiling_trips_ > 0) return;
  if (sparing)
    plan_.drop_park_unpark("this kernel's perf-event probes are too slow to detach for what is hit so often");
  auto attachment = prober->attach(*process_, plan_);
  if (!attachment) {
    not_attached_ = attachment.error().message();
    retry_at_ = now + config_.probes.retry_after;
    spdlog::warn("{} (pid {}): watching by snapshots alone: {}", process_->service, process_->pid, not_attached_);
    return;
  }
  attachment_ = std::move(*attachment);
  report_outdated_ = true;
  not_attached_.clear();
  retry_at_.reset();
  ceiling_.emplace(config_.probes.max_hits_per_second);
  ledger_.events_attached(MonotonicClock::now(), attachment_->has_park_unpark());
  next_snapshot_ = now;  // what lived before the attach
  spdlog::info("{} (pid {}, {}): probes attached by {}", process_->service, process_->pid,
               process_->binary->build_info().version.text, probe::to_string(prober->method()));
}

std::optional<std::uint16_t> Watch::slot() const {
  if (!attachment_) return std::nullopt;
  return attachment_->slot();
}

void Watch::on_event(const goleakd_event& event) { ledger_.apply(translator_.event(event)); }

void Watch::count_hits() {
  present_ = attachment_->counters();
  const std::uint64_t lost = past_.lost_ring + past_.lost_unreadable + present_.lost_ring + present_.lost_unreadable;
  if (lost > reported_lost_) ledger_.events_lost(lost - reported_lost_);
  reported_lost_ = lost;
}

void Watch::check_probes(Instant now) {
  if (!attachment_) return;
  count_hits();
  const auto rate = ceiling_->exceeded(total_hits(present_), now);
  if (!rate || config_.mode == WatchMode::events) return;
  ++ceiling_trips_;
  retry_at_ = now + config_.probes.retry_after;
  detach("its probes were hit " + std::to_string(*rate) + " times a second, above the ceiling of " +
         std::to_string(config_.probes.max_hits_per_second));
}

void Watch::detach(std::string reason) {
  attachment_.reset();
  report_outdated_ = true;
  add(past_, present_);
  present_ = {};
  ledger_.events_detached();
  not_attached_ = std::move(reason);
  spdlog::warn("{} (pid {}): probes detached, watching by snapshots alone: {}", process_->service, process_->pid,
               not_attached_);
}

bool Watch::wants_snapshot(Instant now) const { return !snapshot_pending_ && now >= next_snapshot_; }

void Watch::on_snapshot(const Result<snapshot::Snapshot>& snapshot, const verdict::ProcessFacts& facts, Instant now) {
  snapshot_pending_ = false;
  report_outdated_ = true;
  if (!snapshot) {
    last_error_ = snapshot.error().message();
    if (now - process_->started < kYouth) {
      next_snapshot_ = now + kRetryWhileYoung;
      return;
    }
    ++failures_in_a_row_;
    next_snapshot_ = now + std::min(config_.snapshots.interval * (1 << std::min(failures_in_a_row_, 10)), kMaxBackoff);
    const bool ended = snapshot.error().kind() == ErrorKind::gone;  // discovery says so in a moment
    if (failures_in_a_row_ == 1 && !ended)
      spdlog::warn("{} (pid {}): {}", process_->service, process_->pid, last_error_);
    return;
  }
  failures_in_a_row_ = 0;
  last_error_.clear();
  last_snapshot_ = snapshot->end;
  torn_ += snapshot->implausible + snapshot->moved;
  ledger_.apply(translator_.snapshot(*snapshot));
  engine_.observe(ledger_, facts, now);
  next_snapshot_ = now + snapshot_interval();
}

bool Watch::has_suspects() const {
  return std::ranges::any_of(engine_.leaks(),
                             [](const verdict::Leak& leak) { return leak.stage == verdict::Stage::suspect; });
}

Duration Watch::snapshot_interval() const {
  const auto& intervals = config_.snapshots;
  return has_suspects() ? std::min(intervals.interval, intervals.interval_with_suspects) : intervals.interval;
}

}  // namespace goleakd::daemon
