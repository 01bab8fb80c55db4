// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "verify/judge.h"

namespace goleakd::verify {

inline ledger::TracebackFrame frame(std::string function, int line = 1, bool hidden = false) {
  return {.frame = {std::move(function), "/srv/a/a.go", line},
          .generic = {},
          .inlined = false,
          .hidden = hidden,
          .pc = 0x1000,
          .pc_offset = 1};
}

// One that waits in `function`, the innermost frame of the program's own, started by a `go` statement in `creator`.
inline ledger::GoroutineDump waiting(ledger::Goid goid, ledger::Goid parent, const std::string& creator,
                                     const std::string& function) {
  ledger::GoroutineDump g;
  g.goid = goid;
  g.parent = parent;
  g.state = "chan receive";
  g.frames = {frame("runtime.gopark", 1, true), frame("runtime.chanrecv1", 2, true), frame(function, 7)};
  g.created_by = frame(creator, 20);
  g.started = function;
  return g;
}

inline ledger::GoroutineDump main_goroutine() {
  ledger::GoroutineDump g;
  g.goid = 1;
  g.state = "running";
  g.stack_missing = "it runs";
  g.started = "runtime.main";
  return g;
}

inline Left judged(const Ending& ending, const std::vector<ledger::GoroutineDump>& goroutines,
                   const IgnoreRules& rules = {}, const Baseline& baseline = {}) {
  Judge judge(ending, rules, baseline);
  for (const ledger::GoroutineDump& g : goroutines) judge.add(g);
  return std::move(judge).finish();
}

inline Ending test_binary() {
  return {.program = "example.com/a.test", .tests_of = "example.com/a", .exiting = 1, .single_processor = false};
}

}  // namespace goleakd::verify
