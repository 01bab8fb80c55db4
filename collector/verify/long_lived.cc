// SPDX-License-Identifier: Apache-2.0
#include "verify/long_lived.h"

#include <algorithm>
#include <vector>

#include "ledger/goroutine_groups.h"
#include "ledger/long_lived.h"

namespace goleakd::verify {
std::string_view top_function(const ledger::GoroutineDump& g) {
  const auto shown = std::ranges::find(g.frames, false, &ledger::TracebackFrame::hidden);
  if (shown != g.frames.end()) return shown->frame.function;
  return g.frames.empty() ? std::string_view() : std::string_view(g.frames.front().frame.function);
}

std::optional<std::string_view> long_lived(const ledger::GoroutineDump& g) {
  constexpr ledger::Goid kMain = 1;
  if (g.goid == kMain) return "the main goroutine";
  if (g.system) return "the runtime's own";
  // runtime.oneNewExtraM makes one for each thread of C that calls Go: no `go` statement has started it.
  if (!g.created_by && g.started.empty()) return "a thread that C has started";
  const ledger::TracebackFrame* blocked = ledger::blocked_frame(g);
  std::vector<std::string_view> stack;
  stack.reserve(g.frames.size());
  for (const ledger::TracebackFrame& frame : g.frames) stack.push_back(frame.frame.function);
  const ledger::LongLived* known = ledger::find_long_lived(
      blocked == nullptr ? std::string_view() : blocked->frame.function, ledger::wait_class_of(g.state), stack);
  if (known == nullptr || known->ends != ledger::LongLived::Ends::never) return std::nullopt;
  return known->reason;
}

}  // namespace goleakd::verify
