// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "daemon/inspection.h"
#include "verdict/leak.h"
#include "verdict/report.h"

namespace goleakd::daemon {

// What the goroutines that stand for one process's leaks and suspects wait on, and when to look at that again. Pure.
class SuspectObjects {
 public:
  // Whom the next snapshot is to pick for an inspection: one of each leak, the worst first, then a second of each, and
  // so on, and after them `others`, as many as an inspection may have. Nobody, when all of them have been looked at a
  // moment ago.
  std::vector<std::uint64_t> due(const std::vector<verdict::Leak>& leaks, std::span<const std::uint64_t> others,
                                 Instant now) const;
  void take(Inspection inspection);
  // The next snapshot is to look at all of them.
  void renew() { asked_.clear(); }

  // By leak id: what those of its goroutines wait on that the newest inspection has seen. Each object once.
  std::map<std::string, std::vector<verdict::SeenObject>> of(const std::vector<verdict::Leak>& leaks) const;

 private:
  std::set<std::uint64_t> asked_;  // for the newest inspection
  Instant at_;                     // of it
  std::map<std::uint64_t, ledger::ObjectDump> objects_;
};

}  // namespace goleakd::daemon
