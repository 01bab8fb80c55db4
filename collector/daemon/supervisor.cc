// SPDX-License-Identifier: Apache-2.0
#include "daemon/supervisor.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "target/memory_limit.h"

namespace goleakd::daemon {
namespace {

constexpr Duration kTick = std::chrono::seconds(1);
// Long enough for programs that only flash by to be gone again: nobody looks at those, they are counted.
constexpr Duration kFollowInterval = std::chrono::milliseconds(100);
// A net under the kernel's events, and for Go libraries that a program loads while it runs.
constexpr Duration kScanInterval = std::chrono::seconds(60);
// Putting probes in takes some 10 ms for each process: the loop has other work as well.
constexpr Duration kAttachTime = std::chrono::milliseconds(200);
// A snapshot that takes longer hangs in a read.
constexpr Duration kSnapshotDeadline = std::chrono::seconds(30);

}  // namespace

Result<std::unique_ptr<probe::Prober>> make_prober(const Config& config) {
  return probe::Prober::make({.ring_bytes = config.probes.ring_bytes, .method = config.probes.method});
}

Result<std::unique_ptr<Supervisor>> Supervisor::make(const Config& config, EventLoop& loop, ReportBoard& board,
                                                     history::Writer* history) {
  std::unique_ptr<Supervisor> supervisor(new Supervisor(config, board, history));
  if (auto ok = supervisor->start(loop); !ok) return fail(ok.error());
  return supervisor;
}

Result<void> Supervisor::start(EventLoop& loop) {
  start_prober();
  start_failure_prober();
  start_process_events();
  const auto wake_for_processes = loop.on_wake([this] { collect_processes(); });
  if (!wake_for_processes) return fail(wake_for_processes.error());
  const auto wake_for_snapshots = loop.on_wake([this] {
    collect_counters();
    collect_snapshots();
  });
  if (!wake_for_snapshots) return fail(wake_for_snapshots.error());
  discovery_worker_ = std::make_unique<DiscoveryWorker>(proc_, config_.targets, *wake_for_processes);
  worker_ = std::make_unique<SnapshotWorker>(*wake_for_snapshots, kSnapshotDeadline);
  if (auto ok = loop.every(kTick, [this] { tick(); }); !ok) return ok;
  if (process_events_ != nullptr) {
    if (auto ok = loop.every(kFollowInterval, [this] { follow_processes(); }); !ok) return ok;
  }
  if (prober_ != nullptr) {
    if (auto ok = loop.on_wakeup_of(prober_->storm_fd(), [this] { adjust_probes(); }); !ok) return ok;
  }
  if (failure_prober_ != nullptr) {
    if (auto ok = loop.on_wakeup_of(failure_prober_->storm_fd(), [this] { adjust_probes(); }); !ok) return ok;
  }
  return loop.every(config_.probes.drain_interval, [this] {
    drain();
    request_snapshots();
  });
}

void Supervisor::start_prober() {
  if (config_.mode == WatchMode::snapshots) {
    events_unavailable_ = "the configuration asks for snapshots only";
  } else if (auto prober = make_prober(config_)) {
    prober_ = std::move(*prober);
    spdlog::info("events: uprobes by {}", probe::to_string(prober_->method()));
    if (auto cost = probe::calibrate(prober_->method())) {
      hit_cost_ = *cost;
      spdlog::info("a hit of a probe costs {}", to_string(hit_cost_));
    } else {
      spdlog::warn("what a hit of a probe costs can't be measured, so {} is assumed: {}", to_string(hit_cost_),
                   cost.error().message());
    }
  } else {
    events_unavailable_ = prober.error().message();
    spdlog::warn("no events, watching by snapshots alone: {}", events_unavailable_);
  }
}

// Where there are no other events there are none of these either; without these the others go on.
void Supervisor::start_failure_prober() {
  failures_unavailable_ = events_unavailable_;
  if (prober_ == nullptr) return;
  if (auto prober = probe::FailureProber::make(prober_->method())) {
    failure_prober_ = std::move(*prober);
  } else {
    failures_unavailable_ = prober.error().message();
    spdlog::warn("panics and deaths are not probed: {}", failures_unavailable_);
  }
}

// Before the first scan, so that nothing begins unseen between the two.
void Supervisor::start_process_events() {
  if (!config_.targets.pids.empty()) {
    discovery_.events_unavailable = "one process is watched, and its end is seen by looking";
  } else if (auto events = probe::ProcessEvents::make()) {
    process_events_ = std::move(*events);
    spdlog::info("new processes: told by the kernel");
    if (const std::string& why = process_events_->oom_kills_unavailable(); !why.empty()) {
      spdlog::warn("whom the kernel kills for want of memory can't be seen: {}", why);
    }
  } else {
    discovery_.events_unavailable = events.error().message();
    spdlog::warn("new processes: looking for them every second: {}", discovery_.events_unavailable);
  }
}

void Supervisor::scan() {
  last_scan_ = MonotonicClock::now();
  lost_process_events_ = process_events_ == nullptr ? 0 : process_events_->lost();
  discovery_worker_->scan();
  publish();
}

void Supervisor::reload(const Config& config) {
  const bool other_targets = config.targets != config_.targets;
  config_ = config;
  const Instant now = MonotonicClock::now();
  reloads_ = {.last_reload_successful = true, .last_success = now};
  budget_.change(config_.snapshots.max_cpu);
  for (auto& [pid, watch] : watches_) watch->configure(now);
  if (other_targets) discovery_worker_->select(config_.targets);
  publish();
}

void Supervisor::reload_failed() {
  reloads_.last_reload_successful = false;
  publish();
}

void Supervisor::tick() {
  const Instant now = MonotonicClock::now();
  const bool lost = process_events_ != nullptr && process_events_->lost() != lost_process_events_;
  if (process_events_ == nullptr || lost || now - last_scan_ >= kScanInterval) {
    scan();
  } else {
    discovery_worker_->look_again();
  }
  worker_->check_deadline(now);
  adjust_probes();
  request_counters();
  request_snapshots();
  publish();
}

void Supervisor::follow_processes() {
  std::vector<probe::ProcessEvent> events;
  process_events_->drain([&](const probe::ProcessEvent& event) {
    if (event.kind == probe::ProcessEvent::Kind::out_of_memory) {
      on_oom_kill(event);
    } else {
      events.push_back(event);
    }
  });
  discovery_worker_->follow(events);
}

// It has not been taken for ended yet: that comes after this, and by way of discovery.
void Supervisor::on_oom_kill(const probe::ProcessEvent& event) {
  const auto found = watches_.find(event.pid);
  if (found == watches_.end()) return;
  const std::uint64_t start = found->second->process().identity.start_ticks;
  if (event.start_ticks != 0 && event.start_ticks != start) return;
  incidents_.add(found->second->died(verdict::Death::out_of_memory, event.at));
}

std::string Supervisor::oom_kills_unavailable() const {
  return process_events_ == nullptr ? discovery_.events_unavailable : process_events_->oom_kills_unavailable();
}

void Supervisor::collect_processes() {
  DiscoveryWorker::Found found = discovery_worker_->collect();
  unsupported_ = std::move(found.unsupported);
  found.counters.events_unavailable = std::move(discovery_.events_unavailable);
  discovery_ = std::move(found.counters);
  if (found.changes.empty()) return;
  drain();  // everything that the ended ones have done
  for (const Discovery::Change& change : found.changes) {
    end(change);
    if (change.process == nullptr) continue;
    spdlog::info("{} (pid {}): found {}, {}", change.process->service, change.pid, change.process->exe,
                 change.process->binary->build_info().version.text);
    auto watch = std::make_unique<Watch>(change.process, config_,
                                         prober_ != nullptr ? prober_->handling() : probe::Handling::quick,
                                         hit_cost_.in_program_seconds());
    if (prober_ == nullptr) adjust_probes(*watch, MonotonicClock::now());  // says why not
    watches_[change.pid] = std::move(watch);
  }
  request_counters();
  request_snapshots();
  publish();
}

void Supervisor::end(const Discovery::Change& change) {
  const auto watch = watches_.find(change.pid);
  if (watch == watches_.end()) return;
  spdlog::info("{} (pid {}): {}", watch->second->process().service, change.pid,
               change.unselected ? "selected otherwise by the new configuration" : "ended");
  worker_->forget(watch->second->shared_process());
  budget_.forget(change.pid);
  watches_.erase(watch);
}

// Those that fit into the time; the others' turn comes with the next tick. A process that ends within a second is thus
// never probed.
void Supervisor::adjust_probes() {
  drain();
  const Instant begin = MonotonicClock::now();
  for (auto& [pid, watch] : watches_) {
    watch->count_hits();
    adjust_probes(*watch, begin);
    if (MonotonicClock::now() - begin > kAttachTime) return;
  }
}

void Supervisor::adjust_probes(Watch& watch, Instant now) {
  watch.adjust_failure_probes(failure_prober_.get(), failures_unavailable_, now);
  watch.adjust_probes(prober_.get(), events_unavailable_, now);
}

// How often the probes would be hit, before they are.
void Supervisor::request_counters() {
  if (prober_ == nullptr) return;
  for (auto& [pid, watch] : watches_) worker_->request_counters(watch->shared_process());
}

void Supervisor::collect_counters() {
  const auto counted = worker_->collect_counters();
  if (counted.empty()) return;
  drain();
  const Instant begin = MonotonicClock::now();
  for (const SnapshotWorker::Counted& one : counted) {
    const auto found = watches_.find(one.process->pid);
    if (found == watches_.end() || found->second->shared_process() != one.process) continue;  // ended meanwhile
    const auto cpu = proc_.cpu_time(one.process->pid);
    Watch& watch = *found->second;
    if (cpu) watch.on_counters(one.counters, *cpu);
    if (MonotonicClock::now() - begin <= kAttachTime) {
      adjust_probes(watch, MonotonicClock::now());
    }
  }
}

void Supervisor::drain() {
  drain_failures();
  if (prober_ == nullptr) return;
  std::vector<Watch*> by_slot(GOLEAKD_SLOTS);
  for (auto& [pid, watch] : watches_) {
    for (const std::uint16_t slot : watch->slots()) by_slot[slot] = watch.get();
  }
  prober_->drain([&](const goleakd_event& event) {
    Watch* watch = event.slot < by_slot.size() ? by_slot[event.slot] : nullptr;
    if (watch != nullptr) watch->on_event(event);
  });
  prober_->drain_caught([&](const probe::Caught& caught) {
    Watch* watch = caught.slot < by_slot.size() ? by_slot[caught.slot] : nullptr;
    if (watch != nullptr) watch->on_caught(caught);
  });
}

void Supervisor::drain_failures() {
  if (failure_prober_ == nullptr) return;
  std::vector<Watch*> by_slot(GOLEAKD_SLOTS);
  for (auto& [pid, watch] : watches_) {
    if (const auto slot = watch->failure_slot()) by_slot[*slot] = watch.get();
  }
  failure_prober_->drain([&](const goleakd_failure& record) {
    Watch* watch = record.head.slot < by_slot.size() ? by_slot[record.head.slot] : nullptr;
    if (watch == nullptr) return;
    if (auto incident = watch->on_failure(record)) incidents_.add(std::move(*incident));
  });
}

void Supervisor::request_snapshots() {
  const Instant now = MonotonicClock::now();
  for (auto& [pid, watch] : watches_) {
    if (!watch->wants_snapshot(now) || !budget_.allows(pid, now)) continue;
    watch->snapshot_requested();
    worker_->request({.process = watch->shared_process(), .wanted = watch->wanted(now)});
  }
}

void Supervisor::collect_snapshots() {
  auto finished = worker_->collect();
  if (finished.empty()) return;
  drain();  // everything that happened before the snapshots ended
  for (SnapshotWorker::Done& done : finished) {
    const auto found = watches_.find(done.process->pid);
    if (found == watches_.end() || found->second->shared_process() != done.process) continue;  // ended meanwhile
    Watch& watch = *found->second;
    const Instant now = MonotonicClock::now();
    snapshot_seconds_.observe(std::chrono::duration<double>(done.took).count());
    watch.on_snapshot(done.snapshot, facts(*done.process), now);
    if (done.locks) watch.on_locks(std::move(*done.locks), now);
    if (done.inspection) watch.on_inspection(std::move(*done.inspection));
    budget_.spent(done.process->pid, done.cpu, watch.snapshot_interval(), watch.has_suspects(), now);
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
  // A time that stands still must not wobble from one report to the next.
  if (const WallClock now = WallClock::read(); !wall_.agrees(now)) wall_ = now;
  report->wall = wall_;
  report->version = GOLEAKD_VERSION;
  report->config = reloads_;
  report->events_unavailable = events_unavailable_;
  for (const auto& [pid, watch] : watches_) report->targets.push_back(watch->report(report->at));
  report->unsupported = unsupported_;
  report->oom_kills_unavailable = oom_kills_unavailable();
  incidents_.fill(*report);
  report->discovery = discovery_;
  if (process_events_ != nullptr) report->discovery.lost = process_events_->lost();
  report->snapshot_seconds = snapshot_seconds_;
  if (hit_cost_.measured) {
    report->hit_cost = {.emulated_counted = hit_cost_.emulated_counted_ns / 1e9,
                        .emulated_recorded = hit_cost_.emulated_recorded_ns / 1e9,
                        .emulated_parked = hit_cost_.emulated_parked_ns / 1e9,
                        .stepped_counted = hit_cost_.stepped_counted_ns / 1e9,
                        .stepped_recorded = hit_cost_.stepped_recorded_ns / 1e9};
  }
  if (history_ != nullptr) {
    report->history = history_->status();
    history_->offer(report);
  }
  board_.publish(std::move(report));
}

}  // namespace goleakd::daemon
