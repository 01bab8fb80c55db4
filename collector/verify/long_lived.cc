// SPDX-License-Identifier: Apache-2.0
#include "verify/long_lived.h"

#include <algorithm>
#include <array>

namespace goleakd::verify {
namespace {

using ledger::GoroutineDump;

enum class Where : std::uint8_t { top, any };

struct Known {
  Where where;
  std::string_view function;
  std::string_view state;  // begins with this; empty: whatever
  std::string_view reason;
};

// goleak knows the same ones, but for the profiler.
constexpr std::array kKnown{
    Known{Where::top, "testing.RunTests", "chan receive", "the test runner waits for a test"},
    Known{Where::top, "testing.(*T).Run", "chan receive", "the test runner waits for a subtest"},
    Known{Where::top, "testing.(*T).Parallel", "chan receive", "a parallel test waits for its turn"},
    Known{Where::top, "os/signal.signal_recv", "", "os/signal delivers signals for as long as the program runs"},
    Known{Where::top, "os/signal.loop", "", "os/signal delivers signals for as long as the program runs"},
    Known{Where::any, "runtime.ensureSigM", "", "the runtime keeps a thread for signals"},
    Known{Where::any, "runtime.ReadTrace", "", "runtime/trace reads events until the trace is stopped"},
    Known{Where::any, "runtime/pprof.profileWriter", "", "runtime/pprof reads samples until the profile is stopped"},
};

bool is(const GoroutineDump& g, const Known& known) {
  if (!g.state.starts_with(known.state)) return false;
  if (known.where == Where::top) return top_function(g) == known.function;
  return any_function(g, [&](std::string_view function) { return function == known.function; });
}

}  // namespace

std::string_view top_function(const GoroutineDump& g) {
  const auto shown = std::ranges::find(g.frames, false, &ledger::TracebackFrame::hidden);
  if (shown != g.frames.end()) return shown->frame.function;
  return g.frames.empty() ? std::string_view() : std::string_view(g.frames.front().frame.function);
}

std::optional<std::string_view> long_lived(const GoroutineDump& g) {
  constexpr ledger::Goid kMain = 1;
  if (g.goid == kMain) return "the main goroutine";
  if (g.system) return "the runtime's own";
  // runtime.oneNewExtraM makes one for each thread of C that calls Go: no `go` statement has started it.
  if (!g.created_by && g.started.empty()) return "a thread that C has started";
  const auto* const known = std::ranges::find_if(kKnown, [&](const Known& one) { return is(g, one); });
  if (known == kKnown.end()) return std::nullopt;
  return known->reason;
}

}  // namespace goleakd::verify
