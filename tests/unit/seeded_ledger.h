// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

#include "ledger/ledger.h"
#include "ledger_fixture.h"

namespace goleakd::ledger {

// Attached at 0 and seeded by a snapshot in [10, 20] that shows goroutines 1 (running) and 2 (parked, identity 21).
class Seeded : public testing::Test {
 protected:
  Seeded() {
    ledger.events_attached(at(0));
    ledger.parks_attached(at(0));
    ledger.apply(snapshot(10, 20, {running(1), waiting(2, 21)}));
  }
  void events(std::initializer_list<Event> list) {
    for (const Event& event : list) ledger.apply(event);
  }
  // As the tables of parks would tell after the look.
  void parked(std::int64_t since_ms, Goid goid) { ledger.parked(goid, at(since_ms)); }
  void look(std::int64_t begin, std::vector<GoroutineState> goroutines, std::uint64_t torn = 0) {
    ledger.apply(snapshot(begin, begin + 10, std::move(goroutines), torn));
  }
  std::uint64_t resting() const { return ledger.by_state()[static_cast<std::size_t>(RunState::waiting)]; }

  Ledger ledger;
};

}  // namespace goleakd::ledger
