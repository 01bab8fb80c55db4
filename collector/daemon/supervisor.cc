// SPDX-License-Identifier: Apache-2.0
#include "daemon/supervisor.h"

#include <spdlog/spdlog.h>

#include <utility>
#include <vector>

#include "target/memory_limit.h"

namespace goleakd::daemon {
namespace {

constexpr Duration kScanInterval = std::chrono::seconds(1);

}  // namespace

Result<std::unique_ptr<probe::Prober>> make_prober(const Config& config) {
  return probe::Prober::make({.ring_bytes = config.probes.ring_bytes, .method = config.probes.method});
}

Result<std::unique_ptr<Supervisor>> Supervisor::make(const Config& config, EventLoop& loop, ReportBoard& board) {
  std::unique_ptr<Supervisor> supervisor(new Supervisor(config, board));
  if (auto ok = supervisor->start(loop); !ok) return fail(ok.error());
  return supervisor;
}

Result<void> Supervisor::start(EventLoop& loop) {
  if (config_.mode == WatchMode::snapshots) {
    events_unavailable_ = "the configuration asks for snapshots only";
  } else if (auto prober = make_prober(config_)) {
    prober_ = std::move(*prober);
    spdlog::info("events: uprobes by {}", probe::to_string(prober_->method()));
  } else {
    events_unavailable_ = prober.error().message();
    spdlog::warn("no events, watching by snapshots alone: {}", events_unavailable_);
  }
  const auto wake = loop.on_wake([this] { collect_snapshots(); });
  if (!wake) return fail(wake.error());
  worker_ = std::make_unique<SnapshotWorker>(*wake);
  if (auto ok = loop.every(kScanInterval, [this] { scan(); }); !ok) return ok;
  return loop.every(config_.probes.drain_interval, [this] {
    drain();
    request_snapshots();
  });
}

void Supervisor::scan() {
  const Instant now = MonotonicClock::now();
  auto [appeared, ended] = discovery_.scan();
  if (!ended.empty()) drain();
  for (const int pid : ended) {
    const auto watch = watches_.find(pid);
    if (watch == watches_.end()) continue;
    spdlog::info("{} (pid {}): ended", watch->second->process().service, pid);
    watches_.erase(watch);
  }
  for (auto& process : appeared) {
    spdlog::info("{} (pid {}): found {}, {}", process->service, process->pid, process->exe,
                 process->binary->build_info().version.text);
    watches_[process->pid] = std::make_unique<Watch>(process, config_);
  }
  for (auto& [pid, watch] : watches_) watch->attach(prober_.get(), events_unavailable_, now);
  request_snapshots();
  publish();
}

void Supervisor::drain() {
  if (prober_ == nullptr) return;
  std::vector<Watch*> by_slot(GOLEAKD_SLOTS);
  for (auto& [pid, watch] : watches_) {
    if (const auto slot = watch->slot()) by_slot[*slot] = watch.get();
  }
  prober_->drain([&](const goleakd_event& event) {
    Watch* watch = event.slot < by_slot.size() ? by_slot[event.slot] : nullptr;
    if (watch != nullptr) watch->on_event(event);
  });
  const Instant now = MonotonicClock::now();
  for (auto& [pid, watch] : watches_) watch->check_probes(now);
}

void Supervisor::request_snapshots() {
  const Instant now = MonotonicClock::now();
  for (auto& [pid, watch] : watches_) {
    if (!watch->wants_snapshot(now)) continue;
    watch->snapshot_requested();
    worker_->request(watch->shared_process());
  }
}

void Supervisor::collect_snapshots() {
  const auto finished = worker_->collect();
  if (finished.empty()) return;
  drain();  // everything that happened before the snapshots ended
  for (const SnapshotWorker::Done& done : finished) {
    const auto watch = watches_.find(done.process->pid);
    if (watch == watches_.end() || watch->second->shared_process() != done.process) continue;  // ended meanwhile
    snapshot_seconds_.observe(std::chrono::duration<double>(done.took).count());
    watch->second->on_snapshot(done.snapshot, facts(*done.process), MonotonicClock::now());
  }
  publish();
}

verdict::ProcessFacts Supervisor::facts(const target::GoProcess& process) const {
  return {.started = process.started,
          .resident_bytes = proc_.resident_bytes(process.pid),
          .memory_limit_bytes = target::memory_limit(proc_, process.pid)};
}

void Supervisor::publish() {
  auto report = std::make_shared<verdict::Report>();
  report->at = MonotonicClock::now();
  report->wall = WallClock::read();
  report->version = GOLEAKD_VERSION;
  report->events_unavailable = events_unavailable_;
  for (const auto& [pid, watch] : watches_) report->targets.push_back(watch->report(report->at));
  report->unsupported = discovery_.unsupported();
  report->snapshot_seconds = snapshot_seconds_;
  board_.publish(std::move(report));
}

}  // namespace goleakd::daemon
