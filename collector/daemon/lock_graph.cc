// SPDX-License-Identifier: Apache-2.0
#include "daemon/lock_graph.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/goroutine_details.h"
#include "snapshot/lock_holders.h"
#include "snapshot/picked.h"
#include "snapshot/wait_kind.h"

namespace goleakd::daemon {
namespace {

using ledger::attribute;
using ledger::ObjectDump;
using snapshot::LockHolders;
using verdict::LockGraph;

// Somebody holds it; of a wait group: somebody is to call Done. Else whoever waits is about to be let go on.
bool is_held(const ObjectDump& object) {
  if (object.kind == "mutex") return attribute<bool>(object, "locked").value_or(false);
  if (object.kind == "waitgroup") return attribute<std::int64_t>(object, "counter").value_or(0) > 0;
  return attribute<bool>(object, "writer").value_or(false) ||
         attribute<std::uint64_t>(object, "readers").value_or(0) > 0;
}

class Graph {
 public:
  Graph(const target::GoProcess& process, const snapshot::Memory& memory, const snapshot::Snapshot& snapshot)
      : process_(process), memory_(memory), snapshot_(snapshot) {}

  LockGraph read() {
    graph_.at = snapshot_.begin;
    awaited_.assign(snapshot_.goroutines.size(), LockHolders::kNone);
    read_waiters();
    const LockHolders holders = snapshot::find_lock_holders(process_, memory_, snapshot_, locks_, awaited_);
    graph_.unread = holders.unread;
    for (const LockHolders::Hold& hold : holders.holds) add(hold);
    std::ranges::sort(graph_.waiters, {}, &LockGraph::Waiter::goid);
    return std::move(graph_);
  }

 private:
  void read_waiters() {
    const snapshot::WaitKinds kinds = snapshot::wait_kinds(process_.binary->layout());
    std::vector<std::size_t> waiting;
    for (std::size_t i = 0; i < snapshot_.goroutines.size(); ++i) {
      const snapshot::RawGoroutine& raw = snapshot_.raw[i];
      if (raw.blocked() && on_semaphore(kinds[raw.wait_reason])) waiting.push_back(i);
    }
    const snapshot::Snapshot few = snapshot::snapshot_of(snapshot_, waiting);
    const DetailsSource source(process_, memory_, few, nullptr);
    std::vector<GoroutineDetails> details = source.of_all();
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (details[i].object) add(waiting[i], std::move(*details[i].object));
    }
  }

  void add(std::size_t goroutine, ObjectDump object) {
    const target::Layout& layout = process_.binary->layout();
    const std::map<std::string_view, std::uint32_t> sizes{
        {"mutex", layout.mutex.size}, {"rwmutex", layout.rw_mutex.size}, {"waitgroup", layout.wait_group.size}};
    const auto size = sizes.find(object.kind);
    if (size == sizes.end() || !is_held(object)) return;
    const bool reads = attribute<std::string>(object, "side") == "read";
    std::erase_if(object.attributes, [](const auto& entry) { return entry.first == "side"; });
    const auto [known, fresh] = by_address_.emplace(object.address, static_cast<std::uint32_t>(locks_.size()));
    awaited_[goroutine] = known->second;
    graph_.waiters.push_back({.goid = snapshot_.goroutines[goroutine].goid, .lock = known->second, .reads = reads});
    if (!fresh) return;
    locks_.push_back({.address = object.address, .bytes = size->second, .wait_group = object.kind == "waitgroup"});
    const auto counter = attribute<std::int64_t>(object, "counter");
    graph_.locks.push_back({.object = std::move(object), .counter = counter});
  }

  void add(const LockHolders::Hold& hold) {
    const snapshot::Goroutine& goroutine = snapshot_.goroutines[hold.goroutine];
    LockGraph::Holder holder{.goid = goroutine.goid, .lock = hold.lock, .frame = {}};
    const snapshot::StackFrame& frame = snapshot_.stacks[goroutine.stack]->frames[hold.frame];
    for (const target::SourceFrame& source : process_.binary->symbolizer().frames(frame.symbol_pc)) {
      holder.frame = {.function = source.function, .file = source.file, .line = source.line};
      if (!source.function.starts_with("sync.") && !source.function.starts_with("internal/sync.")) break;
    }
    graph_.holders.push_back(std::move(holder));
  }

  const target::GoProcess& process_;
  const snapshot::Memory& memory_;
  const snapshot::Snapshot& snapshot_;
  std::map<std::uint64_t, std::uint32_t> by_address_;
  std::vector<LockHolders::Lock> locks_;  // as those of the graph
  std::vector<std::uint32_t> awaited_;
  LockGraph graph_;
};

}  // namespace

LockGraph read_lock_graph(const target::GoProcess& process, const snapshot::Memory& memory,
                          const snapshot::Snapshot& snapshot) {
  return Graph(process, memory, snapshot).read();
}

}  // namespace goleakd::daemon
