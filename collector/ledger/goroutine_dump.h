// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ledger/input.h"
#include "ledger/site.h"

namespace goleakd::ledger {

// One frame as a Go traceback prints it.
struct TracebackFrame {
  Frame frame;
  std::string generic;  // the function with its type arguments, where it has some; else empty
  bool inlined = false;
  bool hidden = false;          // the runtime's own, which its tracebacks leave out; profiles show them
  std::uint64_t pc = 0;         // link-time; of the physical frame
  std::uint64_t pc_offset = 0;  // from the function's entry ("+0x1d"); 0 for inlined frames, which have none
};

// What a goroutine waits on, for people and machines: the attributes are those of its kind, in the order to show them
// (docs/json.md).
struct ObjectDump {
  using Value = std::variant<std::uint64_t, std::int64_t, bool, std::string>;
  std::string kind;           // "channel", "select", "mutex", "rwmutex", "waitgroup", "cond", "semaphore", "timer",
                              // "descriptor", "syscall"
  std::uint64_t address = 0;  // tells objects apart; 0 where there is none (select, syscall)
  std::vector<std::pair<std::string, Value>> attributes;
  std::vector<ObjectDump> cases;  // of a select: channels, each with the attribute "direction"
};

// Of that name and type; nothing when it has none.
template <typename T>
std::optional<T> attribute(const ObjectDump& object, std::string_view name) {
  for (const auto& [key, value] : object.attributes) {
    if (key == name && std::holds_alternative<T>(value)) return std::get<T>(value);
  }
  return std::nullopt;
}

// One goroutine, whole, for people: what `goleakd dump` shows, as the runtime's own traceback would.
struct GoroutineDump {
  Goid goid = 0;
  Goid parent = 0;                    // 0: not known, or the runtime
  std::string state;                  // "running", "runnable", "syscall", or the runtime's wait reason
  std::uint64_t waiting_minutes = 0;  // from g.waitsince, as the runtime counts
  bool locked_to_thread = false;
  bool system = false;
  std::vector<TracebackFrame> frames;        // innermost first, the hidden ones too
  std::string stack_missing;                 // why there are no frames (running), else empty
  std::optional<TracebackFrame> created_by;  // none for the main goroutine
  std::string started;                       // the function that the `go` statement called
  std::optional<ObjectDump> object;
  std::vector<std::pair<std::string, std::string>> labels;  // pprof's, by key
};

// What is said once of a dump: whose goroutines they are.
struct ProcessDump {
  int pid = 0;
  std::string exe;
  std::string build_id;
  std::string go_version;
  std::uint64_t torn = 0;  // changed while being read, left out
};

}  // namespace goleakd::ledger
