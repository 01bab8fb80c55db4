// SPDX-License-Identifier: Apache-2.0
#include "verdict/held_by.h"

#include <algorithm>
#include <optional>
#include <set>

namespace goleakd::verdict {
namespace {

using ledger::WaitClass;

constexpr std::size_t kMaxHolders = 4;  // that are told of

std::optional<Cause> held_over(WaitClass wait) {
  switch (wait) {
    case WaitClass::chan_send:
    case WaitClass::chan_receive:
    case WaitClass::chan_send_nil:
    case WaitClass::chan_receive_nil:
    case WaitClass::select:
    case WaitClass::select_no_cases:
      return Cause::lock_held_over_channel;
    case WaitClass::io:
    case WaitClass::syscall:
      return Cause::lock_held_over_io;
    default:
      return std::nullopt;
  }
}

// Where it still is, when it has not moved since the look.
std::optional<ledger::GoroutineView> still_there(ledger::Goid goid, const LockGraph& graph,
                                                 const ledger::Ledger& ledger) {
  auto goroutine = ledger.goroutine(goid);
  return goroutine && goroutine->rests_since(graph.at) ? goroutine : std::nullopt;
}

}  // namespace

std::optional<std::vector<LockHolder>> held_by(const LockGraph& graph, const ledger::Ledger& ledger,
                                               std::span<const ledger::Goid> waiters) {
  std::set<std::size_t> locks;
  for (const ledger::Goid goid : waiters) {
    const auto waiter = std::ranges::lower_bound(graph.waiters, goid, {}, &LockGraph::Waiter::goid);
    if (waiter == graph.waiters.end() || waiter->goid != goid || graph.locks[waiter->lock].counter) continue;
    if (still_there(goid, graph, ledger)) locks.insert(waiter->lock);
  }
  if (locks.empty()) return std::nullopt;
  std::vector<LockHolder> found;
  for (const LockGraph::Holder& holder : graph.holders) {
    if (!locks.contains(holder.lock) || found.size() == kMaxHolders) continue;
    const auto goroutine = still_there(holder.goid, graph, ledger);
    if (!goroutine) continue;
    found.push_back({.goid = holder.goid,
                     .object = graph.locks[holder.lock].object,
                     .frame = holder.frame,
                     .blocked = *goroutine->place,
                     .blocked_at_least_since = goroutine->age.at_least_since});
  }
  return found;
}

Cause cause_by_holders(const std::vector<LockHolder>& holders, Cause otherwise) {
  for (const LockHolder& holder : holders) {
    if (const auto cause = held_over(holder.blocked.wait)) return *cause;
  }
  return otherwise;
}

}  // namespace goleakd::verdict
