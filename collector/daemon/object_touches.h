// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "daemon/touch_addresses.h"
#include "verdict/report.h"

namespace goleakd::daemon {

// What was done at the addresses that a suspect's goroutines wait at, and which of it was done to their objects.
//
// Memory is used again, so an address alone says little. What was done there counts when it was surely done to that
// object: a later look shows that the suspect's goroutines still wait on it; or it was the first that was done there
// after a look had shown that they do, with everything being told meanwhile, and nothing else could have let them go.
// Pure.
class ObjectTouches {
 public:
  using Addresses = std::map<std::string, TouchAddresses>;  // by leak id

  // `each`: how often one way to touch an address is told in a turn; from then on it may go on unseen.
  explicit ObjectTouches(std::uint32_t each) : each_(each) {}

  // What those of each leak and suspect wait at (nowhere, where it could not be read), as it was read from `begin` to
  // `end`, takes the place of what was told before. All that was done until then has been added. `watched`: for how
  // long in all it has been looked for those who touch, by then. `lost`: somebody came in this turn and is not told.
  void wait_at(Addresses addresses, Instant begin, Instant end, Duration watched, bool lost);

  // From now on everything is told that is done at the present addresses, besides those of which that was said before;
  // but not that siblings come to wait there, who let nobody go.
  void told_from(Instant now);
  // A turn has ended, or the next begins: nothing is told any more.
  void end_turn();
  void add(std::uint64_t address, const verdict::CaughtStack& touch);

  const Addresses& addresses() const { return addresses_; }
  // By leak id, of those that it was looked for.
  const std::map<std::string, verdict::Touches>& known() const { return known_; }

 private:
  struct Touch {
    std::uint64_t address = 0;
    verdict::CaughtStack stack;
  };
  struct Told {
    Instant from;
    std::uint32_t times = 0;
    Instant last = Instant::min();
  };
  bool waits_at(const std::string& id, std::uint64_t address) const;
  void settle(const Addresses& now, Instant end, Duration watched);
  void find_sure(Instant begin);

  std::uint32_t each_;
  Addresses addresses_;
  std::vector<Touch> touches_;          // that do not count yet
  std::map<std::uint64_t, Told> told_;  // in this turn, by address
  std::set<std::uint64_t> sure_;        // where the next that is done counts
  Duration watched_{};
  std::map<std::string, verdict::Touches> known_;
};

}  // namespace goleakd::daemon
