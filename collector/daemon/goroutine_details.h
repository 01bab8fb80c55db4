// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ledger/goroutine_dump.h"
#include "snapshot/memory.h"
#include "snapshot/snapshot.h"
#include "target/process.h"
#include "target/procfs.h"

namespace goleakd::daemon {

// What a dump shows of a goroutine besides its stack.
struct GoroutineDetails {
  std::optional<ledger::ObjectDump> object;
  std::vector<std::pair<std::string, std::string>> labels;  // by key
};

// Of the goroutines of a snapshot that was taken with its raw fields. What they wait on is read of all at once: queues
// and counts are theirs together. It is kept in some ten bytes each; texts and labels are made for those asked about.
class DetailsSource {
 public:
  // Borrows process, memory and snapshot, and looks at once. `proc` tells of descriptors and system calls; null for a
  // core file, where nobody knows any more.
  DetailsSource(const target::GoProcess& process, const snapshot::Memory& memory, const snapshot::Snapshot& snapshot,
                const target::Procfs* proc);
  ~DetailsSource();

  // In the order of `numbers`, indices into the snapshot's goroutines: best some thousand. What can't be read is
  // absent.
  std::vector<GoroutineDetails> of(std::span<const std::size_t> numbers) const;
  // Of all of them, where they are few.
  std::vector<GoroutineDetails> of_all() const;

 private:
  struct State;
  std::unique_ptr<const State> state_;
};

}  // namespace goleakd::daemon
