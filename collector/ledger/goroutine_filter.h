// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "ledger/goroutine_dump.h"

namespace goleakd::ledger {

// One condition in the manner of delve's `goroutines -with` and `-without`.
struct GoroutineCondition {
  enum class Kind : std::uint8_t {
    user,     // any frame's function contains the text
    current,  // the innermost frame's does, the runtime's own included
    created,  // the function with the `go` statement does
    start,    // the function that the `go` statement called does
    state,    // the state contains the text
    label,    // it has the pprof label: "key" or "key=value"
    running,  // it has a thread: running, or in a system call
  };
  Kind kind = Kind::user;
  std::string text;    // empty for running
  bool wanted = true;  // false: without

  // "KIND TEXT", with delve's own words for kinds too (userloc, curloc, goloc, startloc). invalid: says what there is.
  static Result<GoroutineCondition> parse(std::string_view words, bool wanted);
  bool holds(const GoroutineDump& g) const;
};

// Which goroutines of a dump to show. All that is set must hold.
struct GoroutineFilter {
  std::vector<GoroutineCondition> conditions = {};
  Duration min_wait{};       // in whole minutes, as a dump counts them
  std::uint64_t object = 0;  // waits on the object at this address, a select in one of its cases; 0: whatever
  bool system = false;       // the runtime's own too

  bool shows(const GoroutineDump& g) const;
};

}  // namespace goleakd::ledger
