// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace goleakd::daemon {

// One leak as it is when somebody accepts it: of one service, which may have several processes.
struct AcceptedLeak {
  std::string service;
  std::string id;
  std::string started;  // function and place of the `go` statement
  std::string stuck;    // function and place where they are, and the wait
  std::string evidence;
  std::string cause;
  std::uint64_t count = 0;  // of goroutines now, in the process with the most
  std::uint64_t peak = 0;   // the most that there were in one process
  double growth_per_hour = 0;
};

// The leaks in the daemon's answer (/api/v1/leaks, docs/json.md) that one can accept: no suspects, none that is over,
// and none that a rule leaves alone already. `ids`: only these; one that is not there is `invalid`. Empty: all.
Result<std::vector<AcceptedLeak>> accepted_leaks(const std::string& answer, const std::vector<std::string>& ids);

struct Acceptance {
  std::string reason;                          // for people; not empty
  std::chrono::system_clock::time_point at;    // now
  std::optional<std::chrono::sys_days> until;  // from that day on they are told of again; nothing: for good
  std::optional<std::uint64_t> up_to;          // goroutines of each; nothing: the most that there were
};

// A configuration file with a rule for each of them. A daemon that reads it leaves them alone as long as no process has
// more of their goroutines than are accepted.
std::string accepted_rules(const std::vector<AcceptedLeak>& leaks, const Acceptance& acceptance);

}  // namespace goleakd::daemon
