// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "ledger/wait.h"

namespace goleakd::ledger {

// A goroutine that is meant to live as long as its program, or as what it serves (a connection, a pool): somebody who
// finds it has found nothing. One table for all who judge (docs/verdicts.md): the daemon never calls one of them stale,
// whereas growth it always tells.
struct LongLived {
  enum class Where : std::uint8_t {
    blocked,   // the function that it is blocked in, outside the runtime, sync and the like
    anywhere,  // some function of its stack
  };
  enum class Ends : std::uint8_t {
    never,      // nothing in the program's hands ends it: at the program's end it is no leak, either
    on_demand,  // Close, Stop or the like end it: whoever leaves it behind has forgotten that
  };

  std::string_view function;
  Where where;
  std::optional<WaitClass> wait;  // nothing: whatever it waits for
  Ends ends;
  std::string_view reason;  // one sentence without a full stop, for people
};

// All of them, by function in ascending order.
std::span<const LongLived> long_lived();

// The one that fits, or null. `blocked`: the function that it is blocked in; `stack`: every function of its stack, or
// as many as are known.
const LongLived* find_long_lived(std::string_view blocked, WaitClass wait, std::span<const std::string_view> stack);

}  // namespace goleakd::ledger
