// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "daemon/failure_records.h"
#include "probe/failure_prober.h"
#include "probe/plan.h"
#include "target/process.h"
#include "verdict/incident.h"

namespace goleakd::daemon {

// The panics and the death of one process: its probes, what they have counted and what they have told.
class FailureWatch {
 public:
  explicit FailureWatch(std::shared_ptr<const target::GoProcess> process) : process_(std::move(process)) {}

  // Puts the group in, or takes it away when `unwanted` says why. Drain first. `prober` may be null: then `unavailable`
  // says why. `window_hits`: of panics, that are a storm.
  void adjust(probe::FailureProber* prober, const std::string& unavailable, const probe::Plan& plan, probe::Group group,
              const std::string& unwanted, std::uint32_t window_hits, Instant now);
  bool attached(probe::Group group) const { return probes_ != nullptr && probes_->attached(group); }
  // Of the records that belong here.
  std::optional<std::uint16_t> slot() const;
  // As FailureRecords::add().
  std::optional<verdict::Incident> add(const goleakd_failure& record);

  // Asks what the probes have counted. True when panics have come in a storm since they were put in.
  bool count();
  const goleakd_failure_counters& counters() const { return counters_; }
  std::uint64_t hits(goleakd_kind kind) const { return counters_.hits[kind - GOLEAKD_PANIC]; }

  verdict::PanicsReport panics() const;

 private:
  std::shared_ptr<const target::GoProcess> process_;
  std::unique_ptr<probe::FailureProbes> probes_;  // null until a group is put in
  std::optional<FailureRecords> records_;         // likewise
  goleakd_failure_counters counters_{};
  std::uint64_t storms_before_ = 0;  // hits that storms have lost before panics were put in
  std::string panics_not_attached_;
  std::array<std::optional<Instant>, probe::kGroups> retry_at_;
};

}  // namespace goleakd::daemon
