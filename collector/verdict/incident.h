// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "ledger/site.h"

namespace goleakd::verdict {

// What ends a program that did not mean to end.
enum class Death : std::uint8_t {
  panic,          // nobody has recovered from it
  fatal,          // the runtime has given up: concurrent map writes, a deadlock, out of memory, its own invariants
  out_of_memory,  // the kernel's OOM killer
};
std::string_view to_string(Death death);

// Where goroutines of one process have panicked with values of one type.
struct PanicSite {
  std::string kind;      // the value's type, as %T prints it; "nil"; empty: not known
  std::string function;  // that panicked: the innermost one outside the runtime
  std::string file;
  int line = 0;
  std::string text;                  // of the newest value; empty: not known
  std::vector<ledger::Frame> stack;  // of the newest, innermost first
  std::uint64_t panics = 0;
  std::uint64_t recovered = 0;
  Instant first_at;
  Instant last_at;
};

// Panics of one process, since it is watched. Those that are neither recovered nor fatal are under way, or were given
// up: by another panic, or by runtime.Goexit.
struct PanicsReport {
  bool attached = false;
  std::string not_attached;     // why
  std::uint64_t panics = 0;     // exact while they are probed, also where records were lost
  std::uint64_t recovered = 0;  // likewise
  std::vector<PanicSite> sites;
  // Records that belong to no site: the panic had begun before it was probed, or there are too many sites.
  std::uint64_t unattributed = 0;
};

// What was known of a process' goroutines when it was last looked at.
struct LastLook {
  struct Site {
    ledger::CreationSite site;
    std::uint64_t live = 0;
    std::uint64_t bytes = 0;
  };
  Instant at;
  std::uint64_t goroutines = 0;
  std::vector<Site> sites;  // those with most goroutines
};

// The unwanted end of a process.
struct Incident {
  std::uint64_t number = 0;  // of this daemon, from 1 on
  Death death{};
  Instant at;
  int pid = 0;
  std::string app;
  std::string exe;
  std::string go_version;
  std::uint64_t goid = 0;            // the goroutine that it ended in; 0: on a stack of the runtime's own, or not known
  std::string kind;                  // panic: the type of its value, where it is known
  std::string text;                  // what it has said; empty: not known
  bool cut = false;                  // there was more of it
  ledger::Frame where;               // the innermost frame outside the runtime, if there is one; empty: not known
  std::vector<ledger::Frame> stack;  // innermost first, as the runtime's tracebacks show it
  std::optional<LastLook> last_look;
};

}  // namespace goleakd::verdict
