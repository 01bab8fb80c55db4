// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "ledger/goroutine_dump.h"
#include "ledger/ledger.h"
#include "verdict/engine.h"
#include "verdict/incident.h"
#include "verdict/leak.h"
#include "verdict/process_facts.h"

namespace goleakd::verdict {

// How a target is seen at the moment, and why not better.
enum class Mode : std::uint8_t { events, snapshots };
std::string_view to_string(Mode mode);

struct ProbeReport {
  std::string name;  // "spawn", "exit", "park", "unpark"
  bool attached = false;
  std::uint64_t hits = 0;  // since the target was found
};

// What the probes of a process cost it, over the last second or so; 1.0 is one core.
struct OverheadReport {
  double used = 0;                  // CPU time of the process, at least what the budget counts for an idle one
  double measured = 0;              // hits of the probes in place, at the price that was calibrated
  std::optional<double> predicted;  // what all probes together would cost; nothing where it can't be told
};

// How goroutines were caught that start others, wake them, or touch what they wait on.
struct CaughtStack {
  std::vector<ledger::Frame> frames;  // innermost first; of those who start others from the `go` statement on
  std::string operation;              // of a wake or touch: "send", "receive", "close", "unlock", …; empty: not known
  std::uint64_t times = 0;            // of those caught
  Instant last;                       // of them
};

// Who was seen to touch the very objects that goroutines of a leak wait on, and for how long it was looked for them.
struct Touches {
  std::vector<CaughtStack> by;  // most frequent first
  Duration watched{};
};

// What goroutines that stand for a leak wait on, as it was in memory.
struct SeenObject {
  ledger::ObjectDump object;
  std::vector<std::uint64_t> goroutines;  // goids of those that wait on it, among Leak::goroutines
  Instant at;                             // when it was read
};

struct SiteReport {
  std::string id;  // site_id
  ledger::CreationSite site;
  std::uint64_t live = 0;
  std::optional<std::uint64_t> spawned;  // only where events are exact
  std::optional<std::uint64_t> exited;
  std::optional<std::uint64_t> parked;  // only where park and unpark are probed as well
  std::optional<std::uint64_t> unparked;
  std::optional<ledger::FinishedParks> finished_parks;  // likewise, where histograms are asked for
  std::uint64_t bytes = 0;
  std::optional<Instant> oldest_blocked_since;  // at least since
};

// The container that a process runs in; texts are empty where they are not known (target/container.h).
struct ContainerReport {
  std::string runtime;  // empty: none
  std::string id;
  std::string name;
  std::string pod_uid;
  std::string pod;
  std::string pod_namespace;
};

struct TargetReport {
  int pid = 0;
  int own_pid = 0;  // what the process takes for its pid, in its own pid namespace
  std::string app;  // the service's name
  ContainerReport container;
  std::string exe;
  std::string go_version;
  std::string module;
  std::string module_version;  // empty, or "(devel)", where the build does not tell
  std::string build_id;
  std::uint64_t start_ticks = 0;  // with the pid, one process of all that this start of the machine will see
  bool up = true;                 // its last snapshot succeeded
  std::string last_error;         // why not
  Mode mode = Mode::snapshots;
  std::string mode_reason;      // why events are not attached; empty when they are
  bool snapshot_taken = false;  // until then the numbers below mean nothing and are not exported
  Instant snapshot_at;
  ProcessFacts facts;            // of then
  std::uint64_t goroutines = 0;  // without the runtime's own
  std::uint64_t system_goroutines = 0;
  std::array<std::uint64_t, 5> by_state{};  // ledger::RunState
  std::map<ledger::WaitClass, ledger::AgeBuckets> blocked_by_age;
  std::vector<SiteReport> sites;  // most live first
  std::vector<Leak> leaks;        // worst first, suspects included
  std::uint64_t leaks_detected = 0;
  std::map<std::string, std::vector<CaughtStack>> spawned_from;  // of suspects, by site_id, most frequent first
  std::map<std::string, std::vector<SeenObject>> waits_on;       // by the leak's id
  // Who wakes goroutines that were started, and wait, as those of a leak do, by the leak's id, and for how long it was
  // looked for them.
  std::map<std::string, std::vector<CaughtStack>> woken_by;
  Duration wakes_watched{};
  std::map<std::string, Touches> touched_by;  // by the leak's id
  std::vector<ProbeReport> probes;
  std::uint64_t events_lost_ring = 0;        // ring full
  std::uint64_t events_lost_unreadable = 0;  // a g that could not be read in the probe
  std::uint64_t events_lost_storm = 0;       // hits between a storm and the end of the probes
  std::uint64_t parks_lost_table = 0;        // parks of goroutines, or sites, that the tables had no room for
  // Wakes of goroutines that no probe had seen park: they had before the probes were in place, or the garbage collector
  // had stopped them while they ran, to scan their stacks, and let them go by ready().
  std::uint64_t unmatched_wakes = 0;
  // Parks and exits of goroutines that no probe had seen wake: the runtime let them run on (unlockf refused), or took
  // up a worker of the garbage collector (findRunnableGCWorker).
  std::uint64_t implicit_wakes = 0;
  std::uint64_t probe_budget_trips = 0;    // times that probes were taken away because they were too dear
  std::optional<OverheadReport> overhead;  // nothing until it has been measured
  ledger::Totals totals;
  std::uint64_t snapshots_torn = 0;
  bool deaths_told = false;  // its end would be known: probes are where it dies of panics and fatal errors
  PanicsReport panics;
  std::map<std::string, Instant> checks_last_run;  // evidence word → when
};

struct UnsupportedReport {
  int pid = 0;
  std::string exe;
  std::string reason;  // a sentence
  std::string kind;    // to_string(ErrorKind)
};

// How the processes of this host are found, and what was missed.
struct DiscoveryReport {
  std::string events_unavailable;  // why the kernel does not tell of exec and exit, so that /proc is looked through
                                   // every second; empty when it does
  std::uint64_t executed = 0;      // programs begun, as the kernel has told
  std::uint64_t too_short = 0;     // of those: ended before they could be looked at
  std::uint64_t lost = 0;          // events that the kernel could not deliver; each time /proc was looked through
  std::uint64_t scans = 0;         // of /proc
  std::uint64_t unreadable = 0;    // processes at this moment that may not be looked at: Go programs or not
};

// Cumulative histogram, as Prometheus wants it: bucket i counts observations <= bounds[i].
struct DurationHistogram {
  static constexpr std::array<double, 10> kBounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5};
  std::array<std::uint64_t, 10> cumulative{};
  std::uint64_t count = 0;
  double sum = 0;
  void observe(double seconds);
};

// What one hit of a probe costs an application on this host, in seconds of its CPU time. On an instruction that the
// kernel emulates, where all probes stand, and on one that it must single-step; merely counted, with a record, and for
// a park or a wake.
struct HitCostReport {
  double emulated_counted = 0;
  double emulated_recorded = 0;
  double emulated_parked = 0;
  double stepped_counted = 0;
  double stepped_recorded = 0;
};

// How the configuration came about that is in force.
struct ConfigReport {
  bool last_reload_successful = true;  // the start counts
  Instant last_success;                // of a start or reload
};

// How many incidents there were of each kind, by app. Of an app that is watched: none, which is zero, where they would
// be known.
using IncidentTotals = std::map<std::string, std::map<Death, std::uint64_t>>;

// When each leak was first seen by any goleakd whose history this one goes on with, by leak_id: seconds since the
// epoch.
using FirstSeen = std::map<std::string, std::int64_t>;

// How history, what must outlive this goleakd, is kept.
struct HistoryReport {
  bool enabled = false;
  std::optional<bool> up;  // what came last could be written; nothing until that was tried
  std::string kind;        // why not: to_string(ErrorKind); empty when up
  std::string reason;      // in words
  std::string path;
  std::uint64_t bytes = 0;             // of the file, and of its log
  std::uint64_t max_bytes = 0;         // that they may have
  std::uint64_t samples = 0;           // counts of creation sites that were written
  std::uint64_t failed_writes = 0;     // looks of which nothing could be written
  std::uint64_t missed_intervals = 0;  // between two samples where one should have been
  std::uint64_t trimmed = 0;           // rows that were deleted to stay below max_bytes
  std::uint64_t set_aside = 0;         // damaged files
  std::uint64_t sites_left_out = 0;    // that should have been sampled: their process has too many
  std::optional<std::map<std::string, std::uint64_t>> slow_leaks;  // by app; nothing until they were looked for
  std::shared_ptr<const FirstSeen> first_seen;                     // null when not known
};

// Everything that goleakd holds at one moment. Made by the daemon's loop, then immutable: exporters share it between
// threads.
struct Report {
  Instant at;
  WallClock wall;  // relates every Instant in here to wall time
  std::string version;
  std::string events_unavailable;  // why no target of this host can have events; empty when they can
  ConfigReport config;
  std::vector<TargetReport> targets;
  std::vector<UnsupportedReport> unsupported;
  DiscoveryReport discovery;
  std::vector<Incident> incidents;  // the newest ones, newest first; their processes have ended
  IncidentTotals incident_totals;
  std::uint64_t incidents_uncounted = 0;  // of apps beyond what is kept
  std::string oom_kills_unavailable;      // why the kernel does not tell of its OOM killer; empty when it does
  DurationHistogram snapshot_seconds;
  std::optional<HitCostReport> hit_cost;  // nothing until it has been measured
  HistoryReport history;
};

// By any goleakd, as history has it; nothing without one, and when it does not know the leak (yet).
std::optional<std::int64_t> first_seen_ever(const Report& report, const std::string& leak_id);

using ReportPtr = std::shared_ptr<const Report>;

}  // namespace goleakd::verdict
