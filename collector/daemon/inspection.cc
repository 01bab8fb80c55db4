// SPDX-License-Identifier: Apache-2.0
#include "daemon/inspection.h"

#include <utility>

#include "daemon/goroutine_details.h"
#include "daemon/user_stack.h"
#include "snapshot/contexts.h"
#include "snapshot/goid_set.h"
#include "snapshot/picked.h"
#include "snapshot/traceback.h"

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

std::vector<verdict::ContextLook> ended_contexts(const target::GoProcess& process, const snapshot::Memory& memory,
                                                 const snapshot::Snapshot& few) {
  std::vector<verdict::ContextLook> looks;
  for (const snapshot::EndedContext& ended : snapshot::find_ended_contexts(process, memory, few)) {
    const snapshot::Goroutine& goroutine = few.goroutines[ended.goroutine];
    const snapshot::StackFrame& frame = few.stacks[goroutine.stack]->frames[ended.frame];
    looks.push_back({.goid = goroutine.goid,
                     .deadline = ended.deadline,
                     .frame = innermost_of_program(snapshot::logical_frames(*process.binary, {frame}))});
  }
  return looks;
}

}  // namespace

Inspection inspect(const target::GoProcess& process, const snapshot::Memory& memory, const target::Procfs& proc,
                   const snapshot::Snapshot& snapshot, Wanted wanted) {
  Inspection inspection;
  const target::GoBinary& binary = *process.binary;
  inspection.channels = snapshot::look_at_channels(
      memory, binary.layout(), process.runtime_address(binary.globals().firstmoduledata), wanted.channels);
  const snapshot::GoidSet awaiting(wanted.goroutines);
  if (!awaiting.empty()) {
    inspection.seen = what_they_wait_on(process, memory, proc, snapshot::snapshot_of_picked(snapshot, awaiting));
  }
  const snapshot::GoidSet with_contexts(wanted.contexts);
  if (!with_contexts.empty()) {
    inspection.contexts = ended_contexts(process, memory, snapshot::snapshot_of_picked(snapshot, with_contexts));
  }
  inspection.asked = std::move(wanted);
  inspection.begin = snapshot.begin;
  inspection.end = MonotonicClock::now();
  return inspection;
}

}  // namespace goleakd::daemon
