// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/result.h"
#include "ledger/goroutine_dump.h"
#include "ledger/goroutine_groups.h"

namespace goleakd::ledger {

// Takes a dump goroutine by goroutine and writes it in some format, so that nobody has to hold a million of them.
// Either goroutines or groups, then the end, once.
class DumpSink {
 public:
  virtual ~DumpSink() = default;
  virtual void goroutine(const GoroutineDump& g) = 0;
  virtual void group(const GoroutineGroup& group, const GoroutineDump& example) = 0;
  // `left_out`: how many goroutines or groups are there and were not handed over.
  virtual Result<void> end(std::uint64_t left_out) = 0;
};

// Where a sink's bytes go, piece by piece.
using Output = std::function<void(std::string_view)>;

}  // namespace goleakd::ledger
