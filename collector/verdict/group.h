// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "ledger/ledger.h"
#include "verdict/growth.h"
#include "verdict/leak.h"

namespace goleakd::verdict {

// The moments before which a goroutine must have parked to be counted.
struct Cutoffs {
  struct Interval {
    Instant aged;      // one interval before now: stuck, not merely waiting its turn
    Instant survived;  // one interval before the evaluation an interval ago: those who were aged then
  };
  std::array<Interval, kScales> at_scale;  // by Scale
  Instant stalled;
  Instant stale;
};

// All goroutines that share one leak id. Several blocked places may (lines are not part of it).
struct Group {
  std::string id;
  std::string site_id;
  const ledger::CreationSite* creation = nullptr;  // these two are owned by the ledger
  const ledger::BlockedPlace* place = nullptr;     // where most of them are stuck
  std::uint64_t count = 0;
  std::array<Sample::Count, kScales> stuck{};  // by Scale
  std::uint64_t stalled = 0;                   // in the same park for as long as makes a stall
  std::uint64_t stale = 0;
  std::optional<Cancelled> cancelled;  // of count
  ledger::Parentless orphans;          // of count; so on
  ledger::Parentless aged_orphans;     // of those stuck for an interval of the quick scale
  ledger::Parentless stalled_orphans;
  ledger::Parentless stale_orphans;
  std::uint64_t stack_bytes = 0;  // of count
  std::uint64_t channels = 0;
  std::uint64_t with_object = 0;
  std::uint64_t unbuffered = 0;
  std::uint64_t full = 0;
  bool has_main = false;
  ledger::ParkAge oldest{};
  std::vector<ledger::Goid> samples;  // up to 5, longest stuck first

  // The main goroutine may wait for as long as it likes: the program's own end is what it waits for.
  bool only_main() const { return has_main && count == 1; }
};

// By leak id.
std::map<std::string, Group> groups_of(std::string_view service, const ledger::Ledger& ledger, const Cutoffs& cutoffs);

}  // namespace goleakd::verdict
