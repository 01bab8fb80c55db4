// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "verdict/leak.h"

namespace goleakd::verdict {

// Leaks that somebody has decided to leave alone. Every condition that is given must hold; at least one is. Globs are
// over a function's full name, and "*" is the only character with a meaning: "net/http.(*Server).Serve" is itself.
struct IgnoreRule {
  std::string reason = {};                          // for people; never empty
  std::string service = {};                         // glob over its name; empty: any
  std::string created_by = {};                      // glob over the function with the `go` statement
  std::string blocked_in = {};                      // over the function that they are stuck in
  std::string any_function = {};                    // over any function of the stack
  std::string leak = {};                            // its id, whole
  std::optional<std::chrono::sys_days> until = {};  // from this day on (UTC) it counts for nothing
  // Counts for nothing once there have been more goroutines than this in one process: what was accepted has grown.
  std::optional<std::uint64_t> up_to = {};
  std::optional<std::chrono::sys_days> accepted = {};  // when `up_to` was written down; for people
  bool has_condition() const { return !(created_by + blocked_in + any_function + leak).empty(); }
};

struct IgnoreRules {
  std::vector<IgnoreRule> rules;  // the first that holds gives the reason
  // Goroutines that are meant to live long (ledger/long_lived.h) are left alone, too, where they merely have been there
  // for a long time. Never once they have grown.
  bool built_in = true;
};

// Says so in the leak if it is one to leave alone: `ignored`, and a severity of info. Else, where a rule would hold if
// there were not more than it has accepted: `outgrown`.
void apply(const IgnoreRules& rules, std::string_view service, std::chrono::system_clock::time_point now, Leak& leak);

}  // namespace goleakd::verdict
