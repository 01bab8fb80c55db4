// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "daemon/catcher.h"
#include "daemon/config.h"
#include "daemon/failure_watch.h"
#include "daemon/inspection.h"
#include "daemon/object_catcher.h"
#include "daemon/snapshot_worker.h"
#include "daemon/suspect_objects.h"
#include "daemon/translator.h"
#include "ledger/ledger.h"
#include "probe/governor.h"
#include "probe/plan.h"
#include "probe/prober.h"
#include "snapshot/runtime_counters.h"
#include "snapshot/snapshot.h"
#include "target/process.h"
#include "verdict/engine.h"
#include "verdict/report.h"

namespace goleakd::daemon {

// Everything about one supervised process. A failure here harms no other.
class Watch {
 public:
  // `handling` and `hit_seconds`: how probes come off on this host, and what a hit of one costs.
  Watch(std::shared_ptr<const target::GoProcess> process, const Config& config, probe::Handling handling,
        double hit_seconds);

  const target::GoProcess& process() const { return *process_; }
  const std::shared_ptr<const target::GoProcess>& shared_process() const { return process_; }

  // The configuration has changed, which it borrows: takes over what it had copied of it.
  void configure(Instant now);

  // Asks what the probes in place have counted and lost.
  void count_hits();
  // Puts probes in and takes them away, as the configuration, the host and the governor have it. Count their hits and
  // drain first: what is in the ring of those that go would be lost. `prober` may be null: then `unavailable` says why.
  void adjust_probes(probe::Prober* prober, const std::string& unavailable, Instant now);
  // The same for the probes of panics and deaths.
  void adjust_failure_probes(probe::FailureProber* prober, const std::string& unavailable, Instant now);
  std::optional<std::uint16_t> failure_slot() const { return failures_.slot(); }
  // Gives the incident when that is the end of the process.
  std::optional<verdict::Incident> on_failure(const goleakd_failure& record);
  // Its death, as others have told it.
  verdict::Incident died(verdict::Death death, Instant at) const;

  // Slots of the events that belong here.
  std::vector<std::uint16_t> slots() const;
  void on_event(const goleakd_event& event);
  void on_caught(const probe::Caught& caught);
  // What the program's own counters said, and the CPU time that it had used by then. Counts hits.
  void on_counters(const Result<snapshot::RuntimeCounters>& counters, Duration cpu);

  // A snapshot is due, and none is under way.
  bool wants_snapshot(Instant now) const;
  void snapshot_requested() { snapshot_pending_ = true; }
  // Events must have been drained since the snapshot ended.
  void on_snapshot(const Result<snapshot::Snapshot>& snapshot, const verdict::ProcessFacts& facts, Instant now);

  // What is to be read with the snapshot.
  Wanted wanted(Instant now);
  // After on_snapshot() of the same look.
  void on_locks(verdict::LockGraph graph, Instant now);
  void on_inspection(Inspection inspection);

  // A snapshot has raised a suspicion that the next ones must confirm: it gets closer looks.
  bool has_suspects() const;
  // From one snapshot to the next, as the configuration wishes it.
  Duration snapshot_interval() const;

  // As of now, or, where a million goroutines make it dear, of a moment ago: at most a hundredth of the time goes into
  // it.
  const verdict::TargetReport& report(Instant now);

 private:
  // One group of probes.
  struct Probes {
    std::unique_ptr<probe::Attachment> attachment;
    std::string not_attached;  // why
    std::optional<Instant> retry_at;
    goleakd_counters past{};     // of attachments that have ended
    goleakd_counters present{};  // of the one that stands
    std::uint64_t reported_lost = 0;
  };
  Probes& probes(probe::Group group) { return probes_[static_cast<std::size_t>(group)]; }
  const Probes& probes(probe::Group group) const { return probes_[static_cast<std::size_t>(group)]; }
  bool attached(probe::Group group) const { return probes(group).attachment != nullptr; }
  // Why the group must not be in place; empty when it is to be.
  std::string unwanted(probe::Group group) const;
  Result<std::unique_ptr<probe::Attachment>> put_in(probe::Group group, probe::Prober& prober);
  void attach(probe::Group group, probe::Prober& prober, Instant now);
  void detach(probe::Group group, const std::string& reason);
  void adjust_catchers(probe::Prober& prober, Instant now);
  void seek_partners();
  void look_at_spinning(const snapshot::Snapshot& snapshot);
  goleakd_counters counters() const;
  void tell_parked(Instant before);
  void make_room(std::uint16_t slot);
  bool outgrew_tables(Instant now) const;
  void report_probes(verdict::TargetReport& report) const;
  void report_catching(verdict::TargetReport& report) const;
  void identify(verdict::Incident& incident) const;
  verdict::TargetReport make_report(Instant now) const;

  std::shared_ptr<const target::GoProcess> process_;
  const Config& config_;
  ledger::Ledger ledger_;
  Translator translator_;
  verdict::Engine engine_;
  probe::Plan plan_;

  probe::Governor governor_;
  bool governed_ = false;  // it has seen enough to say what the probes cost
  std::array<Probes, probe::kLasting> probes_;
  probe::ParkTablesFor tables_;  // of the newest probes of parks
  Instant tables_made_;
  Instant tell_parks_from_;  // the ledger knows of those that began before, and still last
  Instant previous_begin_;   // of the newest snapshot with probes of parks

  FailureWatch failures_;

  Catcher spawners_;
  Catcher wakers_;
  SuspectObjects objects_;
  ObjectCatcher touches_;  // of those

  verdict::TargetReport report_;
  bool report_outdated_ = true;  // by more than the passing of time
  Instant report_valid_until_;

  Instant next_snapshot_;
  bool snapshot_pending_ = false;
  std::optional<Instant> last_snapshot_;
  std::map<std::string, ledger::Stack> spinning_;  // how goroutines were seen that never wait, by leak id
  verdict::ProcessFacts facts_;                    // of then
  std::string last_error_;
  int failures_in_a_row_ = 0;
  std::uint64_t torn_ = 0;
};

}  // namespace goleakd::daemon
