// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "probe/points.h"

namespace goleakd::probe {

// What the probes may cost an application.
struct Budget {
  double max_overhead = 0.01;  // of the CPU time that the process uses
  // A process that uses less than this (in cores) is treated as if it used this: an idle one may always be watched.
  double idle_cores = 0.1;
  Duration hold = std::chrono::seconds(30);  // probes that were too dear stay away this long, and longer each time
};

// How the probes of this host are put in and taken away, as far as it matters for when to.
enum class Handling : std::uint8_t {
  quick,    // uprobe_multi
  sparing,  // perf events: a tenth of a second for each to come off, with the application trapping all the while. Only
            // few, with a wide margin, and once.
};

// One process at one moment, or rather two. All numbers are cumulative.
struct Reading {
  Instant at;                                  // of cpu and hits
  Duration cpu{};                              // that the process has used
  Instant counted_at;                          // of the program's own counters:
  std::optional<std::uint64_t> spawned;        // goroutines, by the runtime's own counters; nothing: can't be read
  std::optional<std::uint64_t> scheduled;      // transitions into running: no less than parks
  std::array<std::uint64_t, kLasting> hits{};  // by Group, of the probes while they are in place
  std::uint64_t panic_hits = 0;                // likewise, of the group of panics
};

// Rates over the time between the newest two readings; 1.0 is one core.
struct Overhead {
  double used = 0;                  // CPU time of the process, at least Budget::idle_cores
  double measured = 0;              // what the probes in place have cost
  std::optional<double> predicted;  // what all groups together would cost; nothing: can't be told

  double ratio(double cost) const { return cost / used; }
};

// What a hit of the group of panics costs, against one of the others, at most: the stack and the text are copied.
// Measured in a program that does nothing else: 1 to 2.3, of panics and recoveries together.
inline constexpr double kPanicPrice = 3;

// Decides which of the lasting groups of probes, and whether those of panics, one process can afford. A group goes in
// when it is predicted to fit the budget, from what the runtime itself counts, before anything is paid; it is taken
// away when what it costs breaks the budget. Nothing is sampled: a group is there, and exact, or absent. Panics are
// nowhere counted beforehand, and rare: they are probed until they cost more than their part of the budget. Pure: no
// clock, no I/O.
class Governor {
 public:
  // `hit_seconds`: what one hit costs (probe/calibration.h).
  Governor(const Budget& budget, Handling handling, double hit_seconds);

  // From the next reading on.
  void change(const Budget& budget) { budget_ = budget; }

  // False for the first one, which tells no rates yet.
  bool read(const Reading& reading);
  // The breaker in the kernel has found a storm in that group.
  void storm(Group group, Instant at);

  bool wants(Group group) const { return state(group).wanted; }
  // Why not, in words with numbers; empty when it is wanted.
  const std::string& why_not(Group group) const { return state(group).why_not; }
  // A further probe that is hit with every other hit of that group, with each spawn or each wake, would fit as well,
  // for a while.
  bool affords_half_more(Group group) const;
  // Likewise one that is hit so often a second.
  bool affords(double hits_per_second) const;
  // So many hits of a group in a window of the breaker's on one CPU are a storm: far above the budget, and dear enough
  // to be worth a stop.
  std::uint32_t storm_hits() const;
  // The same of panics and recoveries.
  std::uint32_t panic_storm_hits() const;

  const Overhead& overhead() const { return overhead_; }
  // Times that a group was taken away because it was too dear.
  std::uint64_t trips() const { return trips_; }

 private:
  struct State {
    bool wanted = false;
    std::string why_not = "the process is being measured";
    std::string tripped_by;  // the reason, until it is wanted again
    int fits = 0;            // readings in a row in which it would have fitted
    bool tripped = false;
    Instant hold_until = Instant::min();
    Duration hold{};
    Instant wanted_since;
  };
  State& state(Group group) { return states_[static_cast<std::size_t>(group)]; }
  const State& state(Group group) const { return states_[static_cast<std::size_t>(group)]; }
  void let_in(Instant at);
  void let_panics_in(Instant at);
  std::string obstacle(Group group, double others, Instant at);
  void take_away(Instant at);
  void trip(Group group, Instant at, std::string why);

  Budget budget_;
  Handling handling_;
  double hit_seconds_;
  std::array<State, kLasting + 1> states_;  // the last one: of panics
  std::optional<Reading> previous_;
  std::array<std::optional<double>, kLasting> predicted_{};  // cost of each group alone
  std::array<double, kLasting> measured_{};
  double panics_measured_ = 0;
  Overhead overhead_;
  std::uint64_t trips_ = 0;
};

}  // namespace goleakd::probe
