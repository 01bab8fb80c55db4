// SPDX-License-Identifier: Apache-2.0
// The events' side of the ledger. Snapshots are merged in merge.cc, what others see is made in views.cc.
#include "ledger/ledger.h"

#include <algorithm>

namespace goleakd::ledger {
namespace {

// What the newest snapshot said no longer holds, and that it lives is beyond doubt.
void moved(Goroutine& goroutine, Instant time) {
  goroutine.changed = std::max(goroutine.changed, time);
  goroutine.shown = false;
  goroutine.missing = false;
}

}  // namespace

std::string_view to_string(Correction correction) {
  switch (correction) {
    case Correction::seeded:
      return "seeded";
    case Correction::missed_spawn:
      return "missed_spawn";
    case Correction::missed_exit:
      return "missed_exit";
    case Correction::missed_park:
      return "missed_park";
  }
  return "seeded";
}

Ledger::Ledger(LedgerLimits limits)
    : limits_{.goroutines = std::min(limits.goroutines, GoroutineTable::kMaxSize), .sites = limits.sites},
      creation_sites_(limits.sites),
      blocked_places_(limits.sites),
      counters_(1) {}

CreationId Ledger::intern(const CreationSite& site) {
  const CreationId id = creation_sites_.intern(site);
  // A site that an event told of has no entry yet: only a snapshot knows what runs.
  if (CreationSite& held = creation_sites_[id]; id != CreationId{} && held.entry.empty()) held.entry = site.entry;
  counters_.resize(creation_sites_.size());
  return id;
}

BlockedId Ledger::intern(const BlockedPlace& place) { return blocked_places_.intern(place); }

void Ledger::events_attached(Instant complete) {
  attached_ = true;
  parks_attached_ = false;
  complete_ = complete;
  seeded_ = false;
  nothing_missed_ = true;
  untracked_ = 0;
  lost_ = 0;
  unannounced_.clear();
  for (SiteCounters& site : counters_) site = {.system = site.system};
  for (Goroutine& goroutine : goroutines_.all()) goroutine.confirmed = goroutine.missing = false;
}

void Ledger::parks_attached(Instant complete) {
  parks_attached_ = no_park_missed_ = true;
  parks_complete_ = complete;
  parks_.clear();
}

void Ledger::events_detached() {
  attached_ = parks_attached_ = seeded_ = false;
  unannounced_.clear();
}

void Ledger::events_lost(std::uint64_t count) {
  if (count == 0) return;
  nothing_missed_ = false;
  lost_ += count;
}

void Ledger::parks_lost(std::uint64_t count) {
  if (count == 0) return;
  no_park_missed_ = false;
  lost_ += count;
}

void Ledger::parks_told(const std::map<CreationId, SiteParks>& parks) { parks_ = parks; }

void Ledger::apply(const Event& event) {
  // While probes are still being attached a spawn may come without its exit.
  const bool counted = attached_ && event.time >= complete_;
  switch (event.kind) {
    case Event::Kind::spawn:
      return spawn(event, counted);
    case Event::Kind::exit:
      return exit(event, counted);
    case Event::Kind::unpark:
      return unpark(event);
  }
}

void Ledger::spawn(const Event& event, bool counted) {
  Goroutine* goroutine = goroutines_.find(event.goid);
  // The probe of older Go versions fires after the goroutine has become visible, so that the seed may be ahead of it.
  const bool counted_before = goroutine != nullptr && goroutine->confirmed;
  if (counted && !counted_before) {
    ++totals_.spawned;
    ++counters(event.creation).spawned;
  }
  if (goroutine == nullptr) goroutine = adopt(event.goid);
  if (goroutine == nullptr) {
    goroutine = add(event.goid);
    if (goroutine == nullptr) return;
    goroutine->at_least = goroutine->at_most = event.time;
  }
  if (counted) goroutine->confirmed = true;
  if (goroutine->parent == 0) goroutine->parent = event.parent;
  if (goroutine->creation == CreationId{}) goroutine->creation = event.creation;
  moved(*goroutine, event.time);
}

void Ledger::exit(const Event& event, bool counted) {
  remember_exit(event.goid);

  Goroutine* goroutine = goroutines_.find(event.goid);
  if (goroutine == nullptr) {
    goroutine = adopt(event.goid);
    if (goroutine != nullptr) come_unannounced(*goroutine);
  }
  if (goroutine != nullptr) {
    if (counted) {
      confirm(*goroutine);
      ++totals_.exited;
      ++counters(goroutine->creation).exited;
    }
    goroutines_.erase(event.goid);
  } else if (counted) {
    const bool explained = !seeded_ || untracked_ > 0;
    if (explained) {
      ++totals_.unmatched_exits;
      if (untracked_ > 0) --untracked_;
    } else {  // it came and went between two snapshots, and only its end was told
      correct(Correction::missed_spawn);
      ++totals_.exited;
      ++counters(CreationId{}).exited;
    }
  }
}

// Bounded like everything else. It is the newest that a snapshot may have looked at before they went.
void Ledger::remember_exit(Goid goid) {
  if (exited_.size() >= std::max<std::size_t>(limits_.goroutines, 2)) {
    exited_.erase(exited_.begin(), exited_.begin() + static_cast<std::ptrdiff_t>(exited_.size() / 2));
  }
  exited_.push_back(goid);
}

// A goroutine that the ledger does not hold has lost its spawn: the next two snapshots show it.
void Ledger::unpark(const Event& event) {
  Goroutine* goroutine = goroutines_.find(event.goid);
  if (goroutine == nullptr) return;
  moved(*goroutine, event.time);
  goroutine->park_identity = 0;
  goroutine->state = RunState::runnable;
  goroutine->wait = WaitClass::none;
  goroutine->exact = false;
}

Goroutine* Ledger::add(Goid goid) {
  if (goroutines_.size() + unannounced_.size() >= limits_.goroutines) {
    ++totals_.dropped_goroutines;
    ++untracked_;
    nothing_missed_ = false;
    return nullptr;
  }
  newest_ = std::max(newest_, goid);
  return &goroutines_.insert(Goroutine{.goid = goid});
}

// Takes in one that only a snapshot has shown so far.
Goroutine* Ledger::adopt(Goid goid) {
  const Goroutine* stranger = unannounced_.find(goid);
  if (stranger == nullptr) return nullptr;
  newest_ = std::max(newest_, goid);
  Goroutine& goroutine = goroutines_.insert(*stranger);
  unannounced_.erase(goid);
  return &goroutine;
}

// It lived before the attach, is in the ledger from then, and has now been heard of since.
void Ledger::confirm(Goroutine& goroutine) {
  if (goroutine.confirmed) return;
  goroutine.confirmed = true;
  correct(Correction::seeded);
  if (seeded_ && untracked_ > 0) --untracked_;
}

// It is alive, and no spawn event has come.
void Ledger::come_unannounced(Goroutine& goroutine) {
  goroutine.confirmed = true;
  const bool explained = !seeded_ || untracked_ > 0;
  correct(explained ? Correction::seeded : Correction::missed_spawn);
  if (seeded_ && untracked_ > 0) --untracked_;
}

}  // namespace goleakd::ledger
