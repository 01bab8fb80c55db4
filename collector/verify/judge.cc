// SPDX-License-Identifier: Apache-2.0
#include "verify/judge.h"

#include <algorithm>
#include <utility>

#include "ledger/goroutine_groups.h"
#include "verify/long_lived.h"
#include "verify/test_name.h"

namespace goleakd::verify {
namespace {

using ledger::Goid;
using ledger::GoroutineDump;

constexpr std::size_t kGoidsShown = 10;

std::string key_of(const std::optional<ledger::Frame>& frame) {
  return frame ? frame->function + " " + frame->file + ":" + std::to_string(frame->line) : std::string();
}

}  // namespace

std::string_view to_string(KnownBy known_by) {
  switch (known_by) {
    case KnownBy::creation:
      return "creation";
    case KnownBy::stack:
      return "stack";
    case KnownBy::parent:
      return "parent";
    case KnownBy::sibling:
      return "sibling";
    case KnownBy::nothing:
      break;
  }
  return "nothing";
}

bool Left::clean() const { return leaked() == 0; }

std::uint64_t Left::leaked() const {
  std::uint64_t count = 0;
  for (const Leak& leak : leaks) count += leak.accepted ? 0 : leak.count;
  return count;
}

Judge::TestIndex Judge::test_index(const std::string& test) {
  if (test.empty()) return 0;
  const auto [known, fresh] = test_indices_.try_emplace(test, static_cast<TestIndex>(tests_.size()));
  if (fresh) tests_.push_back(test);
  return known->second;
}

// The outermost of its frames says best whose code it runs: a test may call another's helper.
void Judge::find_own_test(const GoroutineDump& g, Goroutine& record) {
  if (ending_.tests_of.empty()) return;
  const auto found = [&](const std::string& function, KnownBy known_by) {
    record.test = test_index(test_of(function, ending_.tests_of));
    if (record.test != 0) record.known_by = known_by;
    return record.test != 0;
  };
  if (g.created_by && found(g.created_by->frame.function, KnownBy::creation)) return;
  if (found(g.started, KnownBy::stack)) return;
  for (auto frame = g.frames.rbegin(); frame != g.frames.rend(); ++frame) {
    if (found(frame->frame.function, KnownBy::stack)) return;
  }
}

std::uint32_t Judge::place_of(const GoroutineDump& g) {
  const ledger::TracebackFrame* blocked = ledger::blocked_frame(g);
  Leak place;
  if (blocked != nullptr) place.blocked = blocked->frame;
  if (g.created_by) place.created = g.created_by->frame;
  const auto [known, fresh] = place_indices_.try_emplace(
      std::tuple(key_of(place.created), key_of(place.blocked), g.state), static_cast<std::uint32_t>(places_.size()));
  if (fresh) {
    place.example = g;
    place.wait = ledger::wait_class_of(g.state);
    places_.push_back(std::move(place));
  }
  return known->second;
}

void Judge::add(const GoroutineDump& g) {
  Goroutine record{.goid = g.goid, .parent = g.parent};
  find_own_test(g, record);
  if (g.goid == ending_.exiting || long_lived(g)) {
    // It may have started others, and is no leak.
  } else if (rules_.apply_to(g)) {
    ++left_.ignored;
  } else if (ending_.single_processor && (g.state == "runnable" || g.state == "sleep")) {
    ++left_.could_not_run;
  } else {
    record.leaked = true;
    record.place = place_of(g);
  }
  goroutines_.push_back(record);
}

// Whoever has no test of its own has that of the goroutine that started it, if it lives; else of another one that was
// started by the same goroutine from within a test: goroutine ids are never used again, and a test's goroutine runs
// nothing but that test.
void Judge::ask_relatives() {
  std::unordered_map<Goid, std::size_t> by_goid;
  std::unordered_map<Goid, TestIndex> by_parent;
  for (std::size_t i = 0; i < goroutines_.size(); ++i) {
    by_goid[goroutines_[i].goid] = i;
    if (goroutines_[i].parent != 0 && goroutines_[i].known_by == KnownBy::creation) {
      by_parent.try_emplace(goroutines_[i].parent, goroutines_[i].test);
    }
  }
  const auto ask = [&](Goroutine& g) {
    if (const auto parent = by_goid.find(g.parent); parent != by_goid.end()) {
      g.test = goroutines_[parent->second].test;
      g.known_by = g.test != 0 ? KnownBy::parent : KnownBy::nothing;
    } else if (const auto sibling = by_parent.find(g.parent); sibling != by_parent.end()) {
      g.test = sibling->second;
      g.known_by = KnownBy::sibling;
    }
    return g.test != 0;
  };
  // One generation each time. (Ids do not tell who is older: each processor has a supply of its own.)
  constexpr int kGenerations = 100;
  bool news = true;
  for (int i = 0; news && i < kGenerations; ++i) {
    news = false;
    for (Goroutine& g : goroutines_) news |= g.test == 0 && g.parent != 0 && ask(g);
  }
}

Left Judge::finish() && {
  if (!ending_.tests_of.empty()) ask_relatives();
  std::map<std::pair<std::uint32_t, TestIndex>, std::size_t> known;
  for (const Goroutine& g : goroutines_) {
    if (!g.leaked) continue;
    const auto [at, fresh] = known.try_emplace({g.place, g.test}, left_.leaks.size());
    if (fresh) {
      Leak leak = places_[g.place];
      leak.test = tests_[g.test];
      leak.known_by = g.known_by;
      leak.accepted = baseline_.has(ending_.program, leak);
      left_.leaks.push_back(std::move(leak));
    }
    Leak& leak = left_.leaks[at->second];
    ++leak.count;
    if (leak.goids.size() < kGoidsShown) leak.goids.push_back(g.goid);
  }
  std::ranges::stable_sort(left_.leaks, std::ranges::greater(), &Leak::count);
  return std::move(left_);
}

}  // namespace goleakd::verify
