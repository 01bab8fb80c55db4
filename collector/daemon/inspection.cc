// SPDX-License-Identifier: Apache-2.0
#include "daemon/inspection.h"

#include <utility>

#include "daemon/goroutine_details.h"
#include "snapshot/picked.h"

namespace goleakd::daemon {
namespace {

// How many wait on a plain semaphore is counted among the goroutines that were looked at: here that says nothing.
void drop_what_few_can_not_tell(ledger::ObjectDump& object) {
  if (object.kind == "semaphore") std::erase_if(object.attributes, [](const auto& a) { return a.first == "waiters"; });
}

std::vector<Inspection::Seen> what_they_wait_on(const target::GoProcess& process, const snapshot::Memory& memory,
                                                const target::Procfs& proc, const snapshot::Snapshot& few) {
  std::vector<Inspection::Seen> seen;
  const DetailsSource source(process, memory, few, &proc);
  std::vector<GoroutineDetails> details = source.of_all();
  for (std::size_t i = 0; i < details.size(); ++i) {
    if (!details[i].object) continue;
    ledger::ObjectDump& object = *details[i].object;
    drop_what_few_can_not_tell(object);
    if (object.cases.size() > Inspection::kMaxCases) object.cases.resize(Inspection::kMaxCases);
    seen.push_back({.goid = few.goroutines[i].goid, .object = std::move(object)});
  }
  return seen;
}

}  // namespace

Inspection inspect(const target::GoProcess& process, const snapshot::Memory& memory, const target::Procfs& proc,
                   const snapshot::Snapshot& snapshot, Wanted wanted) {
  Inspection inspection;
  const target::GoBinary& binary = *process.binary;
  inspection.channels = snapshot::look_at_channels(
      memory, binary.layout(), process.runtime_address(binary.globals().firstmoduledata), wanted.channels);
  if (!snapshot.picked.empty()) {
    inspection.seen = what_they_wait_on(process, memory, proc, snapshot::snapshot_of_picked(snapshot));
  }
  inspection.asked = std::move(wanted);
  inspection.begin = snapshot.begin;
  inspection.end = MonotonicClock::now();
  return inspection;
}

}  // namespace goleakd::daemon
