// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/goroutine_dump.h"
#include "ledger/wait.h"

namespace goleakd::verify {

// What tells which test a goroutine is of, strongest first.
enum class KnownBy : std::uint8_t {
  nothing,
  creation,  // the `go` statement is in the test
  stack,     // it runs the test's code
  parent,    // the goroutine that started it lives, and is of the test
  sibling,   // the same goroutine, dead by now, has started another one from within the test
};
std::string_view to_string(KnownBy known_by);

// Goroutines of one program that were left at its end, of one `go` statement, stuck in one place, of one test.
struct Leak {
  std::string test;  // "TestFetch"; empty: not known, or no test binary
  KnownBy known_by = KnownBy::nothing;
  ledger::GoroutineDump example;  // one of them, whole
  std::optional<ledger::Frame> created;
  std::optional<ledger::Frame> blocked;  // the innermost frame outside the runtime, sync and the like
  ledger::WaitClass wait = ledger::WaitClass::none;
  std::uint64_t count = 0;
  std::vector<ledger::Goid> goids;  // of the first ones
  bool accepted = false;            // in the baseline
};

}  // namespace goleakd::verify
