// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "verdict/incident.h"
#include "verdict/report.h"

namespace goleakd::daemon {

// The incidents of this daemon's life. They outlive their processes: that is when people ask.
class Incidents {
 public:
  // Says it in the log, too.
  void add(verdict::Incident incident);
  // Puts the newest ones, and how many there were of each kind and app, into a report that has its targets.
  void fill(verdict::Report& report) const;

 private:
  std::uint64_t number_ = 0;
  std::deque<verdict::Incident> newest_;  // newest first
  verdict::IncidentTotals totals_;
  std::uint64_t uncounted_ = 0;  // of apps beyond the limit
};

}  // namespace goleakd::daemon
