// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ledger/input.h"
#include "ledger/site.h"

namespace goleakd::ledger {

// One frame as a Go traceback prints it.
struct TracebackFrame {
  Frame frame;
  bool inlined = false;
  std::uint64_t pc_offset = 0;  // from the function's entry ("+0x1d"); 0 for inlined frames, which have none
};

// One goroutine, whole, for people: what `goleakd dump` shows, as the runtime's own traceback would.
struct GoroutineDump {
  Goid goid = 0;
  Goid parent = 0;                    // 0: not known, or the runtime
  std::string state;                  // "running", "runnable", "syscall", or the runtime's wait reason
  std::uint64_t waiting_minutes = 0;  // from g.waitsince, as the runtime counts
  bool locked_to_thread = false;
  bool system = false;
  std::vector<TracebackFrame> frames;        // innermost first, the runtime's own hidden as the runtime hides them
  std::string stack_missing;                 // why there are no frames (running), else empty
  std::optional<TracebackFrame> created_by;  // none for the main goroutine
  std::optional<WaitObject> object;
};

// The goroutines of one process at one moment.
struct ProcessDump {
  int pid = 0;
  std::string exe;
  std::string go_version;
  std::vector<GoroutineDump> goroutines;  // by goid
  std::uint64_t torn = 0;                 // changed while being read, left out
};

}  // namespace goleakd::ledger
