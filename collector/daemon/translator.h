// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "bpf/wire.h"
#include "ledger/ledger.h"
#include "probe/park_tables.h"
#include "snapshot/snapshot.h"
#include "snapshot/traceback.h"
#include "target/process.h"

namespace goleakd::daemon {

// Turns what the senses saw of one process (addresses, numbers) into what its ledger takes (functions, sites, classes).
// Sites are resolved once and remembered: a program has few.
class Translator {
 public:
  // Borrows both.
  Translator(const target::GoProcess& process, ledger::Ledger& ledger);

  // Of a spawn, an exit, or the end of a park.
  ledger::Event event(const goleakd_event& event);
  // Of the sites' goroutines, as the probes have counted them.
  std::map<ledger::CreationId, ledger::SiteParks> parks(const std::vector<probe::SiteParks>& sites);
  // It hands over to another coroutine, which leaves no trace in its g.
  bool is_coroutine(const probe::Parked& parked) const {
    return wait_classes_[parked.wait_reason] == ledger::WaitClass::coroutine;
  }
  // runtime.waitReason's of this Go version that mean it.
  std::vector<std::uint8_t> wait_reasons(ledger::WaitClass wait) const;
  // Of a site's `go` statement, as far as they have been met: run-time addresses.
  std::vector<std::uint64_t> gopcs_of(ledger::CreationId site) const;
  // Of one of the site's goroutines that the snapshot shows waiting for a processor: where the loop is that it is in.
  // Empty when there is none.
  ledger::Stack runnable_stack(const snapshot::Snapshot& snapshot, ledger::CreationId site) const;
  // Borrows `snapshot`: goroutines are translated one by one while the ledger takes them.
  ledger::Snapshot snapshot(const snapshot::Snapshot& snapshot);

 private:
  struct Creation {
    ledger::CreationId id{};
    bool resolved = false;
    bool entry_known = false;
  };

  ledger::CreationId creation(std::uint64_t gopc, std::uint64_t startpc);
  ledger::BlockedId blocked(const snapshot::Stack& stack, ledger::WaitClass wait, std::string_view reason);
  ledger::GoroutineState state(const snapshot::Snapshot& snapshot, const snapshot::Goroutine& g);

  const target::GoProcess& process_;
  ledger::Ledger& ledger_;
  std::array<ledger::WaitClass, 256> wait_classes_{};             // by runtime.waitReason of this Go version
  std::unordered_map<std::uint64_t, Creation> creations_;         // by gopc
  std::unordered_map<std::uint64_t, ledger::BlockedId> blocked_;  // by hash of the stack and the reason
  // Of the snapshot that is being translated: by its index of a stack, and the reason.
  std::unordered_map<std::uint64_t, ledger::BlockedId> blocked_now_;
};

}  // namespace goleakd::daemon
