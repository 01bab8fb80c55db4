// SPDX-License-Identifier: Apache-2.0
// How a snapshot corrects what events told. Each rule answers a race: see the class comment in ledger.h.
#include <algorithm>
#include <utility>

#include "ledger/ledger.h"

namespace goleakd::ledger {
namespace {

// Rests that goroutines enter and leave without gopark and ready: coroutine switches, which have no identity either,
// and the runtime's own states, in which some are "waiting" though they run on a system stack. No word is to be
// expected.
bool beyond_probes(WaitClass wait) { return wait == WaitClass::coroutine || wait == WaitClass::runtime; }

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
  previous_begin_ = snapshot.begin;
  newest_whole_ = snapshot.torn == 0 && totals_.dropped_goroutines == dropped_before;
  if (newest_whole_) {
    find_orphans(whole_begin_);
    whole_begin_ = snapshot.begin;
  }
}

// Whose parents have ended since the last snapshot that showed everybody: that one began at `alive`, when they still
// lived. Only such a snapshot makes absence from the ledger mean anything.
void Ledger::find_orphans(Instant alive) {
  Goid last_parent = 0;  // siblings stand together often enough to spare most lookups
  bool last_gone = false;
  for (Goroutine& goroutine : goroutines_.all()) {
    if (goroutine.orphaned || goroutine.parent == 0) continue;
    if (goroutine.parent != last_parent) {
      last_parent = goroutine.parent;
      last_gone = surely_gone(last_parent);
    }
    goroutine.orphaned = last_gone;
    goroutine.left = last_gone && goroutine.shown && at_rest(goroutine.state) && goroutine.at_least <= alive;
  }
}

bool Ledger::surely_gone(Goid goid) const { return !goroutines_.contains(goid) && !unannounced_.contains(goid); }

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
  const bool looked_before = goroutine.seen_before && goroutine.state != RunState::other;
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
    return;
  }
  take(goroutine, state, snapshot, looked_before);
}

// Makes the snapshot's word the goroutine's state.
void Ledger::take(Goroutine& goroutine, const GoroutineState& state, const Snapshot& snapshot, bool looked_before) {
  const bool resting = at_rest(state.state);
  const bool same_park = goroutine.park_identity != 0 && goroutine.park_identity == state.park_identity;
  if (!resting || !same_park) goroutine.exact = goroutine.left = false;
  if (resting && !same_park) {
    goroutine.untold_looks = 0;
    goroutine.at_most = std::max(goroutine.changed, looked_before ? previous_begin_ : goroutine.at_most);
    goroutine.at_least =
        std::max(goroutine.at_most, std::min(snapshot.end, state.waiting_since.value_or(snapshot.end)));
  } else if (resting && !goroutine.exact && state.waiting_since) {
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
  if (state.state == RunState::waiting) expect_word(goroutine);
}

// The probes tell of a park after each of the two snapshots that begin after it; if it began inside the first that
// shows it, that is after the second. So the third finds it told, or it was missed.
void Ledger::expect_word(Goroutine& goroutine) {
  const bool due = parks_attached_ && goroutine.at_most >= parks_complete_ && !goroutine.exact && !goroutine.system &&
                   goroutine.park_identity != 0 && !beyond_probes(goroutine.wait);
  if (!due || goroutine.untold_looks == 3) return;
  if (++goroutine.untold_looks == 3) correct(Correction::missed_park);
}

void Ledger::parked(Goid goid, Instant since) {
  Goroutine* goroutine = goroutines_.find(goid);
  if (goroutine == nullptr || !goroutine->shown || goroutine->state != RunState::waiting) return;
  if (since < goroutine->changed) return;  // of a park that has ended
  goroutine->at_least = goroutine->at_most = since;
  goroutine->exact = true;
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
