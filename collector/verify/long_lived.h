// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "ledger/goroutine_dump.h"

namespace goleakd::verify {

// Why a goroutine is one of those that nobody can end, so that it is left at the end of every program that has it:
// main, the runtime's own, threads of C, and those of ledger/long_lived.h that never end. Nothing when it is not.
std::optional<std::string_view> long_lived(const ledger::GoroutineDump& g);

// The function of the innermost frame that a traceback shows: what it is blocked in, as goleak's options name it
// ("time.Sleep", "internal/poll.runtime_pollWait"). Empty where there is no stack.
std::string_view top_function(const ledger::GoroutineDump& g);
// A frame that a traceback shows is in a function that fits.
template <typename Fits>
bool any_function(const ledger::GoroutineDump& g, const Fits& fits) {
  for (const ledger::TracebackFrame& frame : g.frames) {
    if (fits(frame.frame.function)) return true;
  }
  return false;
}

}  // namespace goleakd::verify
