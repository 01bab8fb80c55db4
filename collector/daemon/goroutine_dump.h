// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "daemon/goroutine_details.h"
#include "ledger/goroutine_dump.h"
#include "snapshot/memory.h"
#include "snapshot/snapshot.h"
#include "target/process.h"
#include "target/procfs.h"

namespace goleakd::daemon {

// The goroutines of one snapshot as people see them. They are made when they are asked for, some thousand at a time: a
// million with their stacks in text would take gigabytes.
class DumpSource {
 public:
  // `snapshot` was taken with its raw fields. Borrows the rest; `proc` is null for a core file. Waiting is counted up
  // to `now`, on the runtime's clock.
  DumpSource(const target::GoProcess& process, const snapshot::Memory& memory, const target::Procfs* proc, Instant now,
             snapshot::Snapshot snapshot);

  // Of all goroutines, by goid; those of the runtime itself only when asked for.
  std::vector<std::size_t> numbers(bool system) const;

  // False ends it.
  using Take = std::function<bool(std::size_t number, const ledger::GoroutineDump& g)>;
  void each(std::span<const std::size_t> numbers, const Take& take);

 private:
  ledger::GoroutineDump dump_of(const snapshot::Goroutine& g, const snapshot::RawGoroutine& raw);
  const std::vector<ledger::TracebackFrame>& frames_of(std::uint32_t stack);

  const target::GoProcess& process_;
  Instant now_;
  snapshot::Snapshot snapshot_;  // by goid
  DetailsSource details_;
  std::unordered_map<std::uint32_t, std::vector<ledger::TracebackFrame>> frames_;  // by index of the stack
};

}  // namespace goleakd::daemon
