// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ledger/wait.h"

namespace goleakd::ledger {

// One logical frame (inlined calls are frames of their own). `function` is the runtime's full name
// ("example.com/app/pkg.(*T).Method.func1"); file as the binary holds it.
struct Frame {
  std::string function;
  std::string file;
  int line = 0;
  bool operator==(const Frame&) const = default;
};

// Innermost first. Shared, immutable: goroutines with the same stack hold the same one.
using Stack = std::shared_ptr<const std::vector<Frame>>;

// A `go` statement: the key is (function, ordinal), so that edits above it do not change it. file:line is for people.
struct CreationSite {
  std::string function;       // that holds the `go` statement; "runtime.main" for the main goroutine
  std::uint32_t ordinal = 0;  // which `go` statement of that function, from 0, in address order
  std::string file;
  int line = 0;
  std::string entry;  // the function that the goroutine runs; empty until a snapshot has shown one
};

// Where and how a goroutine is stuck: the innermost frame outside the runtime and `sync`, and the class of its wait.
struct BlockedPlace {
  std::string function;
  std::string file;
  int line = 0;
  WaitClass wait = WaitClass::none;
  std::string reason;    // the runtime's text, for people
  bool in_loop = false;  // the blocking call is a `range` over a channel: chanrecv2 with a backward jump over it
  Stack stack;           // of the first goroutine seen here
};

// Indexes into one ledger's tables. 0 is "unknown".
enum class CreationId : std::uint32_t {};
enum class BlockedId : std::uint32_t {};

}  // namespace goleakd::ledger
