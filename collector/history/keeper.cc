// SPDX-License-Identifier: Apache-2.0
#include "history/keeper.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "history/file.h"
#include "history/samples.h"
#include "history/view.h"

namespace goleakd::history {
namespace {

// A disk that is full, or a folder that can't be written, may be so no longer.
constexpr Duration kRetry = std::chrono::minutes(1);
// In steps of the finest samples.
constexpr Seconds kMaintenanceSteps = 10;
constexpr Seconds kSlowLookSteps = 60;

std::string sentence(const SlowLeak& leak) {
  std::array<char, 64> rate{};
  std::snprintf(rate.data(), rate.size(), "%+.2g/h", leak.trend.per_hour);
  return leak.service + ": goroutines of " + leak.creation.function + " rise with uptime, " + rate.data() + ", in " +
         std::to_string(leak.trend.rising) + " of the last " + std::to_string(leak.trend.runs) +
         " processes: a slow leak that restarts hide";
}

}  // namespace

Keeper::Keeper(Settings settings, std::function<void(const std::string&)> warn)
    : settings_(std::move(settings)), warn_(std::move(warn)) {
  status_.enabled = true;
  status_.path = settings_.path;
  status_.max_bytes = settings_.max_bytes;
}

Result<void> Keeper::open(Instant now) {
  recorder_.reset();
  lock_.reset();
  retry_at_ = now + std::min(kRetry, settings_.interval);
  auto opened = open_file(settings_.path, settings_.max_bytes);
  if (!opened) return fail(opened.error());
  if (!opened->set_aside.empty()) {
    ++status_.set_aside;
    warn_(opened->set_aside);
  }
  auto recorder = Recorder::load(std::move(opened->database), settings_.boot, settings_.interval);
  if (!recorder) return fail(recorder.error());
  recorder_.emplace(*std::move(recorder));
  lock_ = std::move(opened->lock);
  return {};
}

// A file that turns out to be damaged is set aside by the next open, which checks it.
void Keeper::give_up(const Error& error, Instant now) {
  ++status_.failed_writes;
  if (recorder_) {
    samples_before_ += recorder_->samples();
    left_out_before_ += recorder_->sites_left_out();
  }
  recorder_.reset();
  lock_.reset();
  retry_at_ = now + std::min(kRetry, settings_.interval);
  const bool news = status_.up.value_or(true) || status_.kind != to_string(error.kind());
  status_.up = false;
  status_.kind = to_string(error.kind());
  status_.reason = error.message();
  status_.first_seen = nullptr;
  if (news) warn_("history is not written, the rest goes on: " + error.message());
}

void Keeper::take(const verdict::Report& report) {
  const auto now = static_cast<Seconds>(report.wall.unix_seconds(report.at));
  sampled(now);
  if (!recorder_) {
    if (retry_at_ && report.at < *retry_at_) return;
    if (auto ok = open(report.at); !ok) return give_up(ok.error(), report.at);
  }
  if (auto ok = recorder_->record(report); !ok) return give_up(ok.error(), report.at);
  if (auto ok = maintain(now); !ok) return give_up(ok.error(), report.at);
  const bool back = !status_.up.value_or(true);
  status_.up = true;
  status_.kind.clear();
  status_.reason.clear();
  status_.samples = samples_before_ + recorder_->samples();
  status_.sites_left_out = left_out_before_ + recorder_->sites_left_out();
  status_.first_seen = recorder_->first_seen();
  status_.bytes = file_bytes(settings_.path);
  const Seconds step = tiers(settings_.interval).front().step;
  missed_ = status_.missed_intervals;
  last_sample_ = step_begin(now, step);
  if (back) warn_("history is written again");
}

// Intervals that have passed since the last one that was sampled, without the present one.
void Keeper::sampled(Seconds now) {
  const Seconds step = tiers(settings_.interval).front().step;
  if (!last_sample_) last_sample_ = step_begin(now, step) - step;  // from the begin on
  const Seconds passed = (step_begin(now, step) - *last_sample_) / step;
  status_.missed_intervals = missed_ + static_cast<std::uint64_t>(std::max<Seconds>(passed - 1, 0));
}

Result<void> Keeper::maintain(Seconds now) {
  const Seconds step = tiers(settings_.interval).front().step;
  if (now >= next_maintenance_) {
    next_maintenance_ = now + kMaintenanceSteps * step;
    Database& database = recorder_->database();
    Result<bool> more = true;
    while (more && *more) more = roll_up(database, tiers(settings_.interval), now);
    if (!more) return fail(more.error());
    const auto pages = pages_allowed(database, settings_.max_bytes);
    if (!pages) return fail(pages.error());
    const auto trimmed = trim(database, *pages);
    if (!trimmed) return fail(trimmed.error());
    if (trimmed->any() && status_.trimmed == 0) {
      warn_("history has reached its size, " + std::to_string(settings_.max_bytes >> 20U) +
            " MiB: the oldest of the finest counts go first");
    }
    status_.trimmed += trimmed->samples + trimmed->runs + trimmed->leaks;
    if (auto ok = shrink(database, settings_.max_bytes); !ok) return ok;
  }
  if (now < next_slow_look_) return {};
  next_slow_look_ = now + kSlowLookSteps * step;
  const auto slow = slow_leaks(recorder_->database(), {});
  if (!slow) return fail(slow.error());
  status_.slow_leaks.emplace();
  for (const SlowLeak& leak : *slow) {
    ++(*status_.slow_leaks)[leak.service];
    if (warned_of_.insert(leak.site_id).second) warn_(sentence(leak));
  }
  return {};
}

}  // namespace goleakd::history
