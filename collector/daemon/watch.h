// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "daemon/config.h"
#include "daemon/translator.h"
#include "ledger/ledger.h"
#include "probe/hit_ceiling.h"
#include "probe/plan.h"
#include "probe/prober.h"
#include "snapshot/snapshot.h"
#include "target/process.h"
#include "verdict/engine.h"
#include "verdict/report.h"

namespace goleakd::daemon {

// Everything about one supervised process. A failure here harms no other.
class Watch {
 public:
  Watch(std::shared_ptr<const target::GoProcess> process, const Config& config);

  const target::GoProcess& process() const { return *process_; }
  const std::shared_ptr<const target::GoProcess>& shared_process() const { return process_; }

  // Puts the probes in, when the configuration and the host allow it and the ceiling has not been hit lately. `prober`
  // may be null: then `unavailable` says why.
  void attach(probe::Prober* prober, const std::string& unavailable, Instant now);
  // Slot of the events that belong here.
  std::optional<std::uint16_t> slot() const;
  void on_event(const goleakd_event& event);
  // Reads the hit counters; detaches when they rise too fast. Call drain first: what is in the ring would be lost.
  void check_probes(Instant now);

  // A snapshot is due, and none is under way.
  bool wants_snapshot(Instant now) const;
  void snapshot_requested() { snapshot_pending_ = true; }
  // Events must have been drained since the snapshot ended.
  void on_snapshot(const Result<snapshot::Snapshot>& snapshot, const verdict::ProcessFacts& facts, Instant now);

  // A snapshot has raised a suspicion that the next ones must confirm: it gets closer looks.
  bool has_suspects() const;
  // From one snapshot to the next, as the configuration wishes it.
  Duration snapshot_interval() const;

  // As of now, or, where a million goroutines make it dear, of a moment ago: at most a hundredth of the time goes into
  // it.
  const verdict::TargetReport& report(Instant now);

 private:
  void detach(std::string reason);
  verdict::TargetReport make_report(Instant now) const;
  void count_hits();

  std::shared_ptr<const target::GoProcess> process_;
  const Config& config_;
  ledger::Ledger ledger_;
  Translator translator_;
  verdict::Engine engine_;
  probe::Plan plan_;

  std::unique_ptr<probe::Attachment> attachment_;
  std::string not_attached_;  // why
  std::optional<Instant> retry_at_;
  std::optional<probe::HitCeiling> ceiling_;
  goleakd_counters past_{};     // of attachments that have ended
  goleakd_counters present_{};  // of the one that stands
  std::uint64_t reported_lost_ = 0;
  std::uint64_t ceiling_trips_ = 0;

  verdict::TargetReport report_;
  bool report_outdated_ = true;  // by more than the passing of time
  Instant report_valid_until_;

  Instant next_snapshot_;
  bool snapshot_pending_ = false;
  std::optional<Instant> last_snapshot_;
  std::string last_error_;
  int failures_in_a_row_ = 0;
  std::uint64_t torn_ = 0;
};

}  // namespace goleakd::daemon
