// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"
#include "daemon/config.h"
#include "daemon/discovery.h"
#include "daemon/event_loop.h"
#include "daemon/report_board.h"
#include "daemon/snapshot_worker.h"
#include "daemon/watch.h"
#include "probe/prober.h"
#include "verdict/report.h"

namespace goleakd::daemon {

// Watches every selected process: finds them, probes them, takes their snapshots, judges them, and publishes what it
// holds. Belongs to the loop's thread.
class Supervisor {
 public:
  // Adds its timers to `loop`, which must outlive it. Host without uprobes: goes on with snapshots, and says so in
  // every report. Publishes to `board` after every snapshot and every second.
  static Result<std::unique_ptr<Supervisor>> make(const Config& config, EventLoop& loop, ReportBoard& board);

  // Looks for processes now, attaches, asks for first snapshots, and publishes.
  void scan();

 private:
  Supervisor(const Config& config, ReportBoard& board)
      : config_(config), board_(board), discovery_(proc_, config.targets) {}
  Result<void> start(EventLoop& loop);
  void drain();
  void collect_snapshots();
  void request_snapshots();
  void publish();
  verdict::ProcessFacts facts(const target::GoProcess& process) const;

  Config config_;
  ReportBoard& board_;
  target::Procfs proc_;
  std::unique_ptr<probe::Prober> prober_;  // null where there are no uprobes
  std::string events_unavailable_;         // why prober_ is null
  Discovery discovery_;
  std::map<int, std::unique_ptr<Watch>> watches_;  // by pid; after prober_, which they must not outlive
  verdict::DurationHistogram snapshot_seconds_;
  std::unique_ptr<SnapshotWorker> worker_;
};

// How events can be had on this host, or why they cannot. Loads the BPF programs.
Result<std::unique_ptr<probe::Prober>> make_prober(const Config& config);

}  // namespace goleakd::daemon
