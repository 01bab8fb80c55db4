// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "daemon/config.h"
#include "daemon/discovery_worker.h"
#include "daemon/event_loop.h"
#include "daemon/incidents.h"
#include "daemon/report_board.h"
#include "daemon/snapshot_budget.h"
#include "daemon/snapshot_worker.h"
#include "daemon/watch.h"
#include "history/writer.h"
#include "probe/calibration.h"
#include "probe/failure_prober.h"
#include "probe/prober.h"
#include "probe/process_events.h"
#include "verdict/report.h"

namespace goleakd::daemon {

// Watches every selected process: finds them, probes them, takes their snapshots, judges them, and publishes what it
// holds. Belongs to the loop's thread.
class Supervisor {
 public:
  // Adds its timers to `loop`, which must outlive it. A host without BPF: goes on with snapshots and by looking through
  // /proc every second, and says so in every report. Publishes to `board` whenever something has changed, and every
  // second, and offers it all to `history`, which may be null and must outlive it.
  static Result<std::unique_ptr<Supervisor>> make(const Config& config, EventLoop& loop, ReportBoard& board,
                                                  history::Writer* history = nullptr);

  // Asks for a look at all processes that are there now, and publishes. What is found comes in by the loop.
  void scan();

  const Config& config() const { return config_; }
  // Puts another configuration in force. Only of what plan_reload() lets change.
  void reload(const Config& config);
  // The one in force has stayed, for a newer one could not be had.
  void reload_failed();

 private:
  Supervisor(const Config& config, ReportBoard& board, history::Writer* history)
      : config_(config), board_(board), history_(history), budget_(config.snapshots.max_cpu) {
    reloads_.last_success = MonotonicClock::now();
  }
  Result<void> start(EventLoop& loop);
  void start_prober();
  void start_failure_prober();
  void start_process_events();

  void tick();              // every second
  void follow_processes();  // hands over what the kernel has told of processes
  void on_oom_kill(const probe::ProcessEvent& event);
  std::string oom_kills_unavailable() const;
  void collect_processes();  // what discovery has made of it
  void adjust_probes();
  void adjust_probes(Watch& watch, Instant now);
  void request_counters();
  void collect_counters();
  void end(const Discovery::Change& change);
  void drain();
  void drain_failures();
  void collect_snapshots();
  void request_snapshots();
  void publish();
  verdict::ProcessFacts facts(const target::GoProcess& process) const;

  Config config_;
  ReportBoard& board_;
  history::Writer* history_;  // null when none is kept
  target::Procfs proc_;
  std::unique_ptr<probe::Prober> prober_;  // null where there are no uprobes
  std::string events_unavailable_;         // why prober_ is null
  std::unique_ptr<probe::FailureProber> failure_prober_;
  std::string failures_unavailable_;  // why failure_prober_ is null
  probe::HitCost hit_cost_ = probe::kAssumedHitCost;
  std::unique_ptr<probe::ProcessEvents> process_events_;  // null where the kernel does not tell
  std::uint64_t lost_process_events_ = 0;                 // as of the last scan
  Instant last_scan_;
  verdict::DiscoveryReport discovery_;
  std::vector<verdict::UnsupportedReport> unsupported_;
  std::map<int, std::unique_ptr<Watch>> watches_;  // by pid; after the probers, which they must not outlive
  Incidents incidents_;
  SnapshotBudget budget_;
  WallClock wall_;
  verdict::DurationHistogram snapshot_seconds_;
  verdict::ConfigReport reloads_;
  std::unique_ptr<DiscoveryWorker> discovery_worker_;
  std::unique_ptr<SnapshotWorker> worker_;
};

// How events can be had on this host, or why they cannot. Loads the BPF programs.
Result<std::unique_ptr<probe::Prober>> make_prober(const Config& config);

}  // namespace goleakd::daemon
