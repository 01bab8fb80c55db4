// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "ledger/goroutine_table.h"
#include "ledger/input.h"
#include "ledger/site.h"
#include "ledger/site_table.h"

namespace goleakd::ledger {

// Why the ledger was changed by something else than an event. Exported as goleakd_ledger_corrections_total{reason}.
// `seeded` is explained (goroutines from before the attach); the others mean that knowledge had been lost.
enum class Correction : std::uint8_t {
  seeded,        // lived before events were complete, learnt from a snapshot
  missed_spawn,  // in two snapshots in a row, and no spawn event
  missed_exit,   // absent from two snapshots in a row, and no exit event
  missed_park,   // in one and the same park in three snapshots in a row, and no probe told when it began
};
inline constexpr std::size_t kCorrections = 4;
std::string_view to_string(Correction correction);

// Totals since the ledger was made, of events that came while all probes were in place. Every goroutine is counted once
// when it comes and once when it goes, so that seeded + missed_spawn + spawned - exited - missed_exit are those alive
// (when the seed was whole and none was dropped).
struct Totals {
  std::uint64_t spawned = 0;
  std::uint64_t exited = 0;
  std::array<std::uint64_t, kCorrections> corrections{};
  // Exits of goroutines that the ledger did not hold, for a known cause: older than the attach and not learnt yet, or
  // dropped.
  std::uint64_t unmatched_exits = 0;
  std::uint64_t dropped_goroutines =
      0;  // not tracked, over the limit; one that stays is counted again by each snapshot
};

// Two moments between which a goroutine's present park began. Equal when the probes told. Each errs to its safe side: a
// snapshot looks at a goroutine at some moment that only its begin and end enclose.
struct ParkAge {
  // It was surely parked from here on: the end of the first snapshot that showed this very park, or earlier where the
  // runtime has stamped it (with the start of the garbage collection that found it parked: too early by at most that
  // collection).
  Instant at_least_since;
  // It was surely not in this park before here: the begin of the last snapshot that showed otherwise, or its last
  // event. Instant::min() when it may be older than the ledger.
  Instant at_most_since;
};

// Live goroutines of one creation site, without system goroutines. The counters restart at 0 when events are attached.
struct CreationView {
  CreationId id{};
  const CreationSite* site = nullptr;  // owned by the ledger
  std::uint64_t live = 0;
  std::uint64_t spawned = 0;  // events only
  std::uint64_t exited = 0;   // events only
  SiteParks parks;            // of the newest parks_told()
  std::uint64_t stack_bytes = 0;
  std::optional<ParkAge> oldest;           // longest parked
  std::uint64_t awake = 0;                 // of live: running or runnable, as the newest snapshot showed them
  std::vector<std::uint64_t> born_before;  // for each goid asked for: of live, those with it or a smaller one
  std::vector<Goid> eldest;                // up to 5, smallest goid first
};

// One of the few goroutines of a creation site.
struct Sibling {
  Goid goid = 0;
  bool resting = false;                 // waiting or in a system call, by the newest snapshot and every event since
  WaitClass wait = WaitClass::none;     // these while it rests
  const BlockedPlace* place = nullptr;  // owned by the ledger
  std::uint64_t channel = 0;            // address of the channel of a single send or receive; 0: none, or not known
  Instant since;                        // ParkAge::at_least_since
};
struct SiblingsView {
  CreationId id{};
  const CreationSite* site = nullptr;  // owned by the ledger
  std::vector<Sibling> all;            // those that live, in no order
};

// Goroutines whose parent goroutine is known, and has ended.
struct Parentless {
  std::uint64_t all = 0;
  std::uint64_t left = 0;  // of them: surely in their present park since before it ended
  bool operator==(const Parentless&) const = default;
};

// Goroutines of one creation site stuck in one blocked place, as the newest snapshot shows them.
struct BlockedView {
  CreationId creation{};
  const CreationSite* creation_site = nullptr;  // owned by the ledger
  const BlockedPlace* place = nullptr;          // owned by the ledger
  std::uint64_t count = 0;
  bool has_main = false;  // the main goroutine (goid 1) is one of them
  std::uint64_t stack_bytes = 0;
  Parentless parentless;
  ParkAge oldest{};
  std::vector<std::uint64_t> parked_before;   // for each cutoff asked for: surely in the same park since before it
  std::vector<Parentless> parentless_before;  // of parked_before
  std::uint64_t distinct_objects = 0;         // channels among `with_object` goroutines
  std::uint64_t with_object = 0;
  std::uint64_t unbuffered = 0;  // of with_object: capacity 0
  std::uint64_t full = 0;        // of with_object: capacity > 0 and length == capacity
  std::vector<Goid> samples;     // up to 5, longest parked first
};

// One goroutine.
struct GoroutineView {
  const CreationSite* creation = nullptr;  // this and the next are owned by the ledger
  const BlockedPlace* place = nullptr;     // null: not in a park or system call, as far as is known
  ParkAge age{};                           // of that
  std::uint64_t stack_bytes = 0;

  // It has surely stood still in one park or system call since then or before.
  bool rests_since(Instant then) const { return place != nullptr && age.at_least_since <= then; }
};

// Goroutines of one wait class by age: lt1m, 1m_10m, 10m_1h, 1h_24h, gt24h (at-least ages).
using AgeBuckets = std::array<std::uint64_t, 5>;

struct LedgerLimits {
  std::size_t goroutines = 2'000'000;  // at most GoroutineTable::kMaxSize
  std::size_t sites = 20'000;          // creation sites and blocked places each; further ones share the id 0, "unknown"
};

// The goroutines of one process: events make it exact between snapshots, each snapshot makes it right. Pure: no I/O, no
// clock, one thread.
//
// Merging. Apply snapshots in the order of their times, and before each one all events up to a time not before its end.
// A snapshot looks at each goroutine at a moment of its own, so it proves nothing of one that has an event since its
// begin; and a probe fires next to the change that it tells of, not with it. So a difference is a correction only when
// two snapshots in a row show it and no event came between. A snapshot with torn goroutines proves nobody's absence.
// What a goroutine does is the newest snapshot's word; the probes of parks add since when, to the nanosecond.
class Ledger {
 public:
  explicit Ledger(LedgerLimits limits = {});
  Ledger(Ledger&&) = default;
  Ledger& operator=(Ledger&&) = default;

  // Finds or adds; keys are (function, ordinal) and (function, wait class, line, function of the outermost frame).
  // Past the limit: id 0.
  CreationId intern(const CreationSite& site);
  BlockedId intern(const BlockedPlace& place);

  // The probes of spawn and exit are in place since `complete`; older events still inform, but do not count. The first
  // snapshot that begins no earlier seeds the ledger. Calling it again starts over.
  void events_attached(Instant complete);
  // Those of park and unpark are too, whose numbers begin at 0 again.
  void parks_attached(Instant complete);
  void parks_detached() { parks_attached_ = false; }
  // Drain the events that are still there first.
  void events_detached();
  // Hits of spawn and exit that were not told.
  void events_lost(std::uint64_t count);
  // Hits of park and unpark that were not counted: spawns and exits are as exact as they were.
  void parks_lost(std::uint64_t count);

  void apply(const Event& event);
  // One whose goid has come before in the same snapshot is passed over.
  void apply(const Snapshot& snapshot);
  // The probes say that it has been parked since then, and still was after the newest snapshot had been taken. Tell
  // that after each snapshot, of parks that began before it and after the begin of the last but one, and of all
  // coroutines'.
  void parked(Goid goid, Instant since);
  // Takes the place of what was told before.
  void parks_told(const std::map<CreationId, SiteParks>& parks);

  // Spawned and exited per site are exact: attached, seeded, and since the attach nothing was lost
  // and nothing dropped. A counter that has missed something stays wrong, so only attaching again, which restarts the
  // counters, makes them exact again. Goroutines from before the attach that exit before a snapshot has shown them have
  // no site: they are in Totals::unmatched_exits.
  bool events_exact() const { return attached_ && seeded_ && nothing_missed_; }
  // The parks of each site likewise.
  bool parks_exact() const { return events_exact() && parks_attached_ && no_park_missed_; }
  // Events lost since they were attached.
  std::uint64_t lost() const { return lost_; }

  const Totals& totals() const { return totals_; }
  std::size_t held() const { return goroutines_.size(); }  // live, those of the runtime too
  std::uint64_t live() const;                              // without system goroutines
  std::uint64_t live_system() const;
  // Indexed by RunState: the newest snapshot's word moved on by the events since, without system goroutines. Adds up to
  // live().
  std::array<std::uint64_t, 5> by_state() const;
  std::map<WaitClass, AgeBuckets> blocked_by_age(Instant now) const;  // without system goroutines
  // Of sites with any live, spawned or exited. Goids tell the order of births but for those that processors have in
  // reserve (runtime/proc.go: _GoidCacheBatch is 16 for each P).
  std::vector<CreationView> creations(std::span<const Goid> born = {}) const;
  // Nothing when it is not alive, or the runtime's own.
  std::optional<GoroutineView> goroutine(Goid goid) const;
  // The largest that has been heard of.
  Goid newest() const { return newest_; }
  // By creation and place. Goroutines that the newest snapshot shows waiting or in a system call, and that no event has
  // moved since. Without system goroutines.
  std::vector<BlockedView> blocked(std::span<const Instant> cutoffs) const;
  // Those that have stayed in one park or system call since then or before, as far as is known: of those above `above`
  // the `most` smallest, in order. Without system goroutines.
  std::vector<Goid> resting(Instant since, Goid above, std::size_t most) const;
  // Of every known creation site that has no more than `most` goroutines, without system goroutines.
  std::vector<SiblingsView> siblings(std::size_t most) const;
  // How many goroutines wait in a single send to each of these channels, and have done so since then or before.
  std::map<std::uint64_t, std::uint64_t> senders(std::span<const std::uint64_t> channels, Instant since) const;

 private:
  struct SiteCounters {
    std::uint64_t spawned = 0;
    std::uint64_t exited = 0;
    bool system = false;  // it starts goroutines of the runtime's own
  };

  // ledger.cc: events
  void spawn(const Event& event, bool counted);
  void exit(const Event& event, bool counted);
  void unpark(const Event& event);
  void remember_exit(Goid goid);
  Goroutine* add(Goid goid);
  Goroutine* adopt(Goid goid);
  void confirm(Goroutine& goroutine);
  void come_unannounced(Goroutine& goroutine);
  void correct(Correction correction) { ++totals_.corrections[static_cast<std::size_t>(correction)]; }
  SiteCounters& counters(CreationId id) { return counters_[static_cast<std::size_t>(id)]; }

  // merge.cc: snapshots
  Goroutine* meet(Goid goid);
  void observe(Goroutine& goroutine, const GoroutineState& state, const Snapshot& snapshot);
  void take(Goroutine& goroutine, const GoroutineState& state, const Snapshot& snapshot, bool looked_before);
  void expect_word(Goroutine& goroutine);
  void sweep(const Snapshot& snapshot);
  bool has_exited(Goid goid) const;
  void find_orphans(Instant alive);
  bool surely_gone(Goid goid) const;

  LedgerLimits limits_;
  SiteTable<CreationSite, CreationId> creation_sites_;
  SiteTable<BlockedPlace, BlockedId> blocked_places_;
  std::vector<SiteCounters> counters_;  // by CreationId
  std::map<CreationId, SiteParks> parks_;

  GoroutineTable goroutines_;
  Goid newest_ = 0;
  GoroutineTable
      unannounced_;           // shown by the newest snapshot, and no spawn event: taken in when the next shows them too
  std::vector<Goid> exited_;  // exit events since the newest snapshot
  std::vector<Goid> exited_before_;  // and between the two newest; sorted

  bool attached_ = false;
  bool parks_attached_ = false;
  bool seeded_ = false;
  bool nothing_missed_ = false;
  bool no_park_missed_ = false;
  Instant complete_;             // since when events are complete
  Instant parks_complete_;       // and since when park and unpark are
  std::uint64_t untracked_ = 0;  // alive without a record, for a known cause: torn in the seed, or dropped
  std::uint64_t lost_ = 0;

  Instant previous_begin_;                // of the newest snapshot
  Instant whole_begin_ = Instant::min();  // of the newest that showed everybody
  bool newest_whole_ = false;             // the newest did
  Totals totals_;
};

}  // namespace goleakd::ledger
