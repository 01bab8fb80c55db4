// SPDX-License-Identifier: Apache-2.0
#include "daemon/failure_watch.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace goleakd::daemon {
namespace {

// Probes that could not be put in are tried again.
constexpr Duration kRetryAttach = std::chrono::minutes(1);

}  // namespace

void FailureWatch::adjust(probe::FailureProber* prober, const std::string& unavailable, const probe::Plan& plan,
                          probe::Group group, const std::string& unwanted, std::uint32_t window_hits, Instant now) {
  const auto not_attached = [&](const std::string& why) {
    if (group == probe::Group::panics) panics_not_attached_ = why;
  };
  if (!unwanted.empty()) {
    not_attached(unwanted);
    if (!attached(group)) return;
    probes_->detach(group);
    spdlog::warn("{} (pid {}): {} are no longer probed: {}", process_->service, process_->pid, to_string(group),
                 unwanted);
    return;
  }
  if (prober == nullptr) return not_attached(unavailable);
  auto& retry_at = retry_at_.at(static_cast<std::size_t>(group));
  if (attached(group) || (retry_at && now < *retry_at)) return;
  const auto put_in = [&]() -> Result<void> {
    if (probes_ == nullptr) {
      auto probes = prober->probes();
      if (!probes) return fail(probes.error());
      probes_ = std::move(*probes);
      records_.emplace(*process_);
    }
    return probes_->attach(*process_, plan, group, window_hits);
  };
  if (group == probe::Group::panics) storms_before_ = counters_.lost_storm;
  if (auto ok = put_in(); !ok) {
    not_attached(ok.error().message());
    retry_at = now + kRetryAttach;
    spdlog::warn("{} (pid {}): {} are not probed: {}", process_->service, process_->pid, to_string(group),
                 ok.error().message());
    return;
  }
  retry_at.reset();
  not_attached("");
  spdlog::info("{} (pid {}): {} are probed", process_->service, process_->pid, to_string(group));
}

std::optional<std::uint16_t> FailureWatch::slot() const {
  return probes_ == nullptr ? std::nullopt : std::optional(probes_->slot());
}

std::optional<verdict::Incident> FailureWatch::add(const goleakd_failure& record) {
  return records_ ? records_->add(record) : std::nullopt;
}

bool FailureWatch::count() {
  if (probes_ == nullptr) return false;
  counters_ = probes_->counters();
  return attached(probe::Group::panics) && counters_.lost_storm > storms_before_;
}

verdict::PanicsReport FailureWatch::panics() const {
  verdict::PanicsReport report;
  report.attached = attached(probe::Group::panics);
  report.not_attached = panics_not_attached_;
  report.panics = hits(GOLEAKD_PANIC);
  report.recovered = hits(GOLEAKD_RECOVER);
  if (!records_) return report;
  report.sites = records_->sites();
  std::ranges::stable_sort(report.sites, std::greater{}, &verdict::PanicSite::panics);
  report.unattributed = records_->unattributed();
  return report;
}

}  // namespace goleakd::daemon
