// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "ledger/goroutine_dump.h"
#include "verify/name_pattern.h"

namespace goleakd::verify {

// Which goroutines are nobody's business, in goleak's words.
struct IgnoreRules {
  std::vector<NamePattern> top;         // the innermost frame that a traceback shows
  std::vector<NamePattern> any;         // any frame; who created it is none
  std::vector<NamePattern> created_by;  // the function with the `go` statement

  bool apply_to(const ledger::GoroutineDump& g) const;
};

}  // namespace goleakd::verify
