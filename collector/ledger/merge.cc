// SPDX-License-Identifier: Apache-2.0
// How a snapshot corrects what events told. Each rule answers a race: see the class comment in ledger.h.
#include <algorithm>
#include <utility>

#include "ledger/ledger.h"

namespace goleakd::ledger {
namespace {

// Rests that goroutines enter and leave without gopark and ready: coroutine switches, and the runtime's own states, in
// which some are "waiting" though they run on a system stack. Events can't be expected for them.
bool beyond_probes(WaitClass wait) { return wait == WaitClass::coroutine || wait == WaitClass::runtime; }

bool alike(WaitClass a, WaitClass b) { return a == b || a == WaitClass::none || b == WaitClass::none; }

}  // namespace

void Ledger::apply(const Snapshot& snapshot) {
  std::sort(exited_.begin(), exited_.end());
  const std::uint64_t dropped_before = totals_.dropped_goroutines;
  const bool since_complete = attached_ && snapshot.begin >= complete_;

  for (std::size_t i = 0; i < snapshot.count; ++i) {
    const GoroutineState state = snapshot.state(i);
    Goroutine* goroutine = goroutines_.find(state.goid);
    const bool held = goroutine != nullptr || !seeded_;
    if (goroutine == nullptr) {
      // Looked at before it went; or its exit probe has fired and its status has not changed yet.
      if (has_exited(state.goid)) continue;
      goroutine = meet(state.goid);
      if (goroutine == nullptr) continue;
    } else if (goroutine->seen) {
      continue;
    }
    observe(*goroutine, state, snapshot);
    if (since_complete && held) confirm(*goroutine);
  }
  sweep(snapshot);

  exited_before_ = std::exchange(exited_, {});
  if (since_complete && !seeded_) {
    seeded_ = true;
    untracked_ += snapshot.torn;
  }
  if (unsure_snapshots_ > 0) --unsure_snapshots_;
  previous_begin_ = snapshot.begin;
  newest_whole_ = snapshot.torn == 0 && totals_.dropped_goroutines == dropped_before;
  if (newest_whole_) whole_begin_ = snapshot.begin;
}

// A goroutine that the ledger does not hold. Once seeded it needs a second look: its spawn event may be on the way.
Goroutine* Ledger::meet(Goid goid) {
  Goroutine* goroutine = nullptr;
  if (!seeded_) {
    goroutine = add(goid);
  } else if (const Goroutine* stranger = unannounced_.find(goid); stranger != nullptr) {
    if (stranger->seen) return nullptr;
    goroutine = adopt(goid);
    come_unannounced(*goroutine);
    return goroutine;
  } else if (goroutines_.size() + unannounced_.size() < limits_.goroutines) {
    goroutine = &unannounced_.insert(Goroutine{.goid = goid});
  }
  // The last snapshot that showed everybody did not show it.
  if (goroutine != nullptr) goroutine->at_least = goroutine->at_most = whole_begin_;
  return goroutine;
}

bool Ledger::has_exited(Goid goid) const {
  return std::binary_search(exited_.begin(), exited_.end(), goid) ||
         std::binary_search(exited_before_.begin(), exited_before_.end(), goid);
}

void Ledger::observe(Goroutine& goroutine, const GoroutineState& state, const Snapshot& snapshot) {
  // Whether the previous snapshot's look at it bounds the begin of what this one shows.
  const bool looked_before =
      goroutine.seen_before && goroutine.state != RunState::other && !(goroutine.parked && goroutine.doubted);
  goroutine.seen = true;
  goroutine.missing = false;
  goroutine.shown = false;
  goroutine.system = state.system;
  if (goroutine.parent == 0) goroutine.parent = state.parent;
  if (goroutine.creation == CreationId{}) goroutine.creation = state.creation;
  if (state.system) counters(goroutine.creation).system = true;
  goroutine.set_stack_bytes(state.stack_bytes);

  if (goroutine.changed >= snapshot.begin) return;  // the look may be older than the event
  if (state.state == RunState::other) {
    goroutine.state = RunState::other;
    goroutine.doubted = false;
    return;
  }
  judge(goroutine, state, snapshot, looked_before);
}

// Events and snapshot both speak of the time before snapshot.begin. Do they agree?
void Ledger::judge(Goroutine& goroutine, const GoroutineState& state, const Snapshot& snapshot, bool looked_before) {
  const bool waiting = state.state == RunState::waiting;
  // A park that an event told of, and whose end the look can't be sure of either: the probe fires just before the
  // status changes.
  if (!waiting && parks_attached_ && goroutine.parked && !goroutine.doubted && beyond_probes(goroutine.wait)) {
    goroutine.state = state.state;
    goroutine.doubted = true;
    return;
  }
  const bool same_identity = goroutine.park_identity != 0 && goroutine.park_identity == state.park_identity;
  const bool told = parks_attached_ && goroutine.confirmed && !goroutine.untold && !goroutine.system &&
                    !beyond_probes(waiting ? state.wait : goroutine.wait);
  const bool agree = waiting ? goroutine.parked && alike(goroutine.wait, state.wait) : !goroutine.parked;

  if (!told || agree) {
    bool same_park = same_identity;
    if (told && waiting && !same_identity) {
      // No wake was told since the park, so it is the same; unless just that was lost, with the park that followed.
      same_park = unsure_snapshots_ == 0;
      if (!same_park && goroutine.park_identity != 0) correct(Correction::missed_unpark);
    }
    take(goroutine, state, snapshot, same_park, looked_before);
    // Only an event tells that a rest beyond the probes is a park all the same, one that a wake will end.
    goroutine.parked = waiting && (goroutine.parked || !beyond_probes(state.wait));
    goroutine.doubted = false;
    if (snapshot.begin >= parks_complete_) goroutine.untold = false;
  } else if (!goroutine.parked) {  // in a park that no event told of: at the second look at the same one it is believed
    take(goroutine, state, snapshot, same_identity, looked_before);
    goroutine.parked = same_identity;
    if (same_identity) correct(Correction::missed_park);
  } else if (!goroutine.doubted) {  // awake, or in another park, and no wake was told
    goroutine.state = state.state;
    goroutine.doubted = true;
  } else {
    correct(Correction::missed_unpark);
    take(goroutine, state, snapshot, /*same_park=*/false, /*looked_before=*/false);
    goroutine.parked = false;
    goroutine.doubted = false;
  }
}

// Makes the snapshot's word the goroutine's state.
void Ledger::take(Goroutine& goroutine, const GoroutineState& state, const Snapshot& snapshot, bool same_park,
                  bool looked_before) {
  const bool resting = at_rest(state.state);
  if (!resting) {
    goroutine.exact = false;
  } else if (!same_park) {
    goroutine.exact = false;
    goroutine.at_most = std::max(goroutine.changed, looked_before ? previous_begin_ : goroutine.at_most);
    goroutine.at_least =
        std::max(goroutine.at_most, std::min(snapshot.end, state.waiting_since.value_or(snapshot.end)));
  } else if (!goroutine.exact && state.waiting_since) {
    goroutine.at_least = std::min(goroutine.at_least, std::max(goroutine.at_most, *state.waiting_since));
  }
  goroutine.park_identity = resting ? state.park_identity : 0;
  goroutine.state = state.state;
  goroutine.wait = resting ? state.wait : WaitClass::none;
  goroutine.blocked = resting ? state.blocked : BlockedId{};
  goroutine.object = state.object.address;
  goroutine.unbuffered = state.object.unbuffered;
  goroutine.full = state.object.full;
  goroutine.shown = true;
}

// Those that the snapshot did not show.
void Ledger::sweep(const Snapshot& snapshot) {
  const auto seen = [](Goroutine& goroutine) {
    goroutine.seen_before = goroutine.seen;
    goroutine.seen = false;
    return goroutine.seen_before;
  };
  goroutines_.erase_if([&](Goroutine& goroutine) {
    if (seen(goroutine)) return false;
    goroutine.shown = false;
    // Spawned after its place was passed, or before its status had changed; or one of those that were torn.
    if (goroutine.changed >= snapshot.begin || (attached_ && snapshot.torn > 0)) return false;
    const bool told = attached_ && goroutine.confirmed;  // else it went before events were complete
    if (told && !goroutine.missing) {
      goroutine.missing = true;
      return false;
    }
    if (told) correct(Correction::missed_exit);
    return true;
  });
  unannounced_.erase_if([&](Goroutine& goroutine) { return !seen(goroutine); });
}

}  // namespace goleakd::ledger
