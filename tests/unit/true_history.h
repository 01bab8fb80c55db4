// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "ledger/ledger.h"
#include "ledger_fixture.h"

namespace goleakd::ledger {

// One change in a goroutine's life: when its probe fires, and when the status word that a snapshot reads changes.
struct Change {
  enum class Kind : std::uint8_t { spawn, exit, park, unpark, self_wake };  // the last is told by no probe
  Kind kind{};
  Instant told;
  Instant happened;
  WaitClass wait = WaitClass::none;
  std::uint64_t park_identity = 0;
  bool long_park = false;  // the one that this unpark ends
  bool lost = false;       // no probe told it
};

struct TrueGoroutine {
  Goid goid = 0;
  CreationId creation{};  // of its own, so that the ledger's views tell about it alone
  std::vector<Change> changes;

  // The last change before or at `time`, by its probe or by the status word; null before the first.
  const Change* last_told(Instant time) const { return last(time, &Change::told); }
  const Change* last_happened(Instant time) const { return last(time, &Change::happened); }

 private:
  const Change* last(Instant time, Instant Change::*when) const {
    const Change* result = nullptr;
    for (const Change& change : changes) {
      if (change.*when <= time) result = &change;
    }
    return result;
  }
};

struct HistoryOptions {
  bool spawn_told_late = false;  // the probe of Go 1.19 to 1.23, which fires when the goroutine can already be seen
  Duration length = std::chrono::seconds(40);
};

// Random lives of goroutines, from at(0) on.
class TrueHistory {
 public:
  TrueHistory(unsigned seed, Ledger& ledger, HistoryOptions options) : random_(seed), options_(options) {
    const Instant end = at(0) + options_.length;
    for (Goid goid = 1; goid <= 300; ++goid) {
      const bool from_the_start = goid <= 100;
      TrueGoroutine goroutine{goid, ledger.intern(creation_site("main.f", static_cast<std::uint32_t>(goid))), {}};
      live(goroutine, from_the_start ? at(0) : at(0) + between(Duration(0), options_.length), end);
      goroutines.push_back(std::move(goroutine));
    }
  }

  std::vector<TrueGoroutine> goroutines;

  Duration between(Duration low, Duration high) {
    return Duration(std::uniform_int_distribution<std::int64_t>(low.count(), high.count())(random_));
  }
  bool chance(double probability) { return std::bernoulli_distribution(probability)(random_); }

  // Each goroutine is looked at at a moment of its own.
  Snapshot look(Instant begin, Instant end, double torn) {
    std::vector<GoroutineState> states;
    std::uint64_t unclear = 0;
    for (const TrueGoroutine& goroutine : goroutines) {
      const Instant moment = begin + between(Duration(0), end - begin);
      const Change* last = goroutine.last_happened(moment);
      if (last == nullptr || last->kind == Change::Kind::exit) continue;
      const bool parked = last->kind == Change::Kind::park;
      if (!parked && chance(torn)) {
        ++unclear;
        continue;
      }
      GoroutineState state =
          parked ? waiting(goroutine.goid, last->park_identity, last->wait) : running(goroutine.goid);
      state.creation = goroutine.creation;
      states.push_back(state);
    }
    return snapshot(begin, end, std::move(states), unclear);
  }

  // The tables of parks at `time`: of each that is parked as far as the probes have told, since when.
  std::vector<std::pair<Goid, Instant>> parked(Instant time) const {
    std::vector<std::pair<Goid, Instant>> result;
    for (const TrueGoroutine& goroutine : goroutines) {
      const Change* last = nullptr;
      for (const Change& change : goroutine.changes) {
        if (change.told <= time && !change.lost && change.kind != Change::Kind::self_wake) last = &change;
      }
      if (last != nullptr && last->kind == Change::Kind::park) result.emplace_back(goroutine.goid, last->told);
    }
    return result;
  }

  // What came through the ring in (after, until], in its order.
  std::vector<Event> events(Instant after, Instant until, std::uint64_t& lost) const {
    std::vector<Event> result;
    for (const TrueGoroutine& goroutine : goroutines) {
      for (const Change& change : goroutine.changes) {
        const auto kind = kind_of(change);
        if (change.told <= after || change.told > until || !kind) continue;
        if (change.lost) {
          ++lost;
          continue;
        }
        Event event;
        event.kind = *kind;
        event.time = change.told;
        event.goid = goroutine.goid;
        event.creation = kind == Event::Kind::spawn ? goroutine.creation : CreationId{};
        result.push_back(event);
      }
    }
    std::stable_sort(result.begin(), result.end(), [](const Event& a, const Event& b) { return a.time < b.time; });
    return result;
  }

 private:
  static std::optional<Event::Kind> kind_of(const Change& change) {
    switch (change.kind) {
      case Change::Kind::spawn:
        return Event::Kind::spawn;
      case Change::Kind::exit:
        return Event::Kind::exit;
      case Change::Kind::unpark:
        return change.long_park ? std::optional(Event::Kind::unpark) : std::nullopt;
      default:
        return std::nullopt;
    }
  }

  // From 100 µs to 10 s, each power of ten as likely as the next.
  Duration dwell() {
    const double exponent = std::uniform_real_distribution<double>(5, 10)(random_);
    return Duration(static_cast<std::int64_t>(std::pow(10.0, exponent)));
  }
  // Between a probe and the change it tells of: next to nothing, unless the virtual CPU is taken away just there.
  Duration gap() {
    return chance(0.1) ? between(Duration(0), std::chrono::milliseconds(300)) : between(Duration(1), Duration(2000));
  }
  Change told_first(Change::Kind kind, Instant time) { return {.kind = kind, .told = time, .happened = time + gap()}; }

  void live(TrueGoroutine& goroutine, Instant start, Instant end) {
    Change spawned = told_first(Change::Kind::spawn, start);
    if (options_.spawn_told_late) std::swap(spawned.told, spawned.happened);
    goroutine.changes.push_back(spawned);
    Instant time = std::max(spawned.told, spawned.happened);
    while (true) {
      time += dwell();
      if (time >= end) return;
      if (chance(0.15)) {
        goroutine.changes.push_back(told_first(Change::Kind::exit, time));
        return;
      }
      Change parked = told_first(Change::Kind::park, time);
      parked.wait = chance(0.5) ? WaitClass::chan_receive : WaitClass::select;
      parked.park_identity = ++park_identity_;
      goroutine.changes.push_back(parked);
      time = parked.happened;
      if (chance(0.05)) {  // the runtime lets it run on at once, and it soon parks again
        time += Duration(500);
        goroutine.changes.push_back({.kind = Change::Kind::self_wake, .told = time, .happened = time});
        parked = told_first(Change::Kind::park, time + Duration(500));
        parked.wait = WaitClass::io;
        parked.park_identity = ++park_identity_;
        goroutine.changes.push_back(parked);
        time = parked.happened;
      }
      time += dwell();
      if (time >= end) return;
      Change woken = told_first(Change::Kind::unpark, time);
      woken.long_park = woken.told - parked.told >= std::chrono::milliseconds(100);
      goroutine.changes.push_back(woken);
      time = woken.happened;
    }
  }

  std::mt19937 random_;
  HistoryOptions options_;
  std::uint64_t park_identity_ = 0;
};

}  // namespace goleakd::ledger
