// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
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
  bool has_condition() const { return !(created_by + blocked_in + any_function + leak).empty(); }
};

// The first rule that holds, or null.
const IgnoreRule* ignored_by(const std::vector<IgnoreRule>& rules, std::string_view service, const Leak& leak,
                             std::chrono::system_clock::time_point now);

}  // namespace goleakd::verdict
