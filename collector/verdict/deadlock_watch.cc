// SPDX-License-Identifier: Apache-2.0
#include "verdict/deadlock_watch.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/hash.h"

namespace goleakd::verdict {
namespace {

using ledger::Goid;
using ledger::WaitClass;

constexpr Duration kInterval = std::chrono::seconds(30);

// Before Go 1.20 the runtime calls every lock a semaphore, before Go 1.24 a wait group.
bool on_lock(WaitClass wait) {
  constexpr std::array kLocks{WaitClass::mutex, WaitClass::rwmutex_read, WaitClass::rwmutex_write,
                              WaitClass::wait_group, WaitClass::semaphore};
  return std::ranges::find(kLocks, wait) != kLocks.end();
}

Cause cause_of(const LockGraph& graph, const std::vector<Deadlock>& together) {
  std::set<std::size_t> locks;  // of one of them: the others stand in the same places
  bool reads = true;
  for (const Deadlock::Member& member : together.front().members) {
    const LockGraph::Waiter& waiter = graph.waiters[member.waiter];
    if (graph.locks[waiter.lock].counter) return Cause::wait_under_lock;
    locks.insert(waiter.lock);
    reads = reads && waiter.reads;
  }
  if (locks.size() > 1) return Cause::lock_order;
  if (graph.locks[*locks.begin()].object.kind == "mutex") return Cause::double_lock;
  return reads ? Cause::recursive_read_lock : Cause::lock_upgrade;
}

std::string in_words(const std::vector<Deadlock>& together) {
  std::size_t members = 0;
  bool alone = true;
  for (const Deadlock& deadlock : together) {
    members += deadlock.members.size();
    alone = alone && deadlock.members.size() == 1;
  }
  if (members == 1) return "1 goroutine waits for a lock that it holds itself";
  const std::string many = std::to_string(members) + " goroutines wait for locks that they hold";
  if (alone) return many + ", each for its own";
  return many + ", each for another's" +
         (together.size() == 1 ? "" : ", in " + std::to_string(together.size()) + " circles");
}

}  // namespace

std::optional<Instant> lock_awaited_since(const std::map<std::string, Group>& groups) {
  std::optional<Instant> since;
  for (const auto& [id, group] : groups) {
    if (on_lock(group.place->wait)) since = std::min(since.value_or(Instant::max()), group.oldest.at_least_since);
  }
  return since;
}

bool DeadlockWatch::due(std::optional<Instant> awaited_since, Instant now) const {
  const bool unsettled =
      std::ranges::any_of(known_, [](const auto& entry) { return entry.second.leak.stage == Stage::suspect; });
  if (looked_ && !unsettled && now - *looked_ < kInterval) return false;
  return !known_.empty() || (awaited_since && *awaited_since <= now - thresholds_.stuck_after);
}

void DeadlockWatch::look(const LockGraph& graph, const ledger::Ledger& ledger, Instant now) {
  looked_ = now;
  const auto stuck = [&](Goid goid) {
    const auto goroutine = ledger.goroutine(goid);
    return goroutine && goroutine->rests_since(graph.at - thresholds_.stuck_after);
  };
  std::map<std::string, std::vector<Deadlock>> found;
  for (Deadlock& deadlock : find_deadlocks(graph, stuck)) {
    // Whoever is in a deadlock stays in it: one that shares a member with a known one is the same, also when others
    // have joined it in other places.
    const auto known = std::ranges::find_if(known_, [&](const auto& entry) {
      return std::ranges::any_of(deadlock.members, [&](const Deadlock::Member& member) {
        return entry.second.members.contains(graph.waiters[member.waiter].goid);
      });
    });
    const std::string id = known != known_.end() ? known->first : id_of(graph, deadlock, ledger);
    found[id].push_back(std::move(deadlock));
  }
  for (const auto& [id, together] : found) {
    const auto [entry, fresh] = known_.try_emplace(id);
    Known& known = entry->second;
    Leak leak = describe(graph, together, ledger);
    leak.id = id;
    leak.stage = fresh ? Stage::suspect : known.leak.stage;
    leak.first_seen = fresh ? now : known.leak.first_seen;
    leak.peak = std::max(leak.count, known.leak.peak);
    known.leak = std::move(leak);
    known.members.clear();
    for (const Deadlock& deadlock : together) {
      for (const Deadlock::Member& member : deadlock.members) known.members.insert(graph.waiters[member.waiter].goid);
    }
  }
  for (auto& [id, known] : known_) age(known, found.contains(id), now);
  std::erase_if(known_, [&](const auto& entry) {
    const Known& known = entry.second;
    if (known.leak.stage == Stage::suspect) return known.missing > 0;
    return known.leak.stage == Stage::resolved && now - known.resolved_at >= thresholds_.keep_resolved;
  });
}

void DeadlockWatch::age(Known& known, bool seen, Instant now) {
  known.agreeing = seen ? known.agreeing + 1 : 0;
  known.missing = seen ? 0 : known.missing + 1;
  Leak& leak = known.leak;
  if (leak.stage != Stage::leaking && known.agreeing >= thresholds_.confirm_windows) {
    leak.stage = Stage::leaking;
    ++detected_;
  } else if (leak.stage == Stage::leaking && known.missing >= thresholds_.resolve_windows) {
    leak.stage = Stage::resolved;
    leak.reasoning = "none left of " + std::to_string(leak.peak);
    leak.count = leak.behind = leak.bytes = 0;
    leak.goroutines.clear();
    leak.members.clear();
    known.resolved_at = now;
  }
  leak.severity = leak.stage == Stage::leaking ? Severity::ticket : Severity::info;
}

std::string DeadlockWatch::id_of(const LockGraph& graph, const Deadlock& deadlock, const ledger::Ledger& ledger) const {
  std::set<std::string> places;
  for (const Deadlock::Member& member : deadlock.members) {
    const auto goroutine = ledger.goroutine(graph.waiters[member.waiter].goid);
    places.insert(leak_id(service_, *goroutine->creation, *goroutine->place));
  }
  StableHash hash;
  hash.add("deadlock");
  for (const std::string& place : places) hash.add(place);
  return hash.hex();
}

// So many of them as are shown: of each place one, then whoever there is.
std::vector<DeadlockMember> DeadlockWatch::shown(std::vector<DeadlockMember> members) const {
  std::set<std::string> places;
  std::ranges::sort(members, {}, &DeadlockMember::goid);
  std::ranges::stable_partition(members, [&](const DeadlockMember& member) {
    return places.insert(leak_id(service_, member.creation, member.blocked)).second;
  });
  members.resize(std::min(members.size(), kMaxMembers));
  std::ranges::sort(members, {}, &DeadlockMember::goid);
  return members;
}

Leak DeadlockWatch::describe(const LockGraph& graph, const std::vector<Deadlock>& together,
                             const ledger::Ledger& ledger) const {
  Leak leak;
  leak.evidence = Evidence::deadlock;
  leak.cause = cause_of(graph, together);
  std::vector<DeadlockMember> members;
  Instant since = Instant::min();  // when the last of them stopped
  for (const Deadlock& deadlock : together) {
    for (const Deadlock::Member& member : deadlock.members) {
      const LockGraph::Waiter& waiter = graph.waiters[member.waiter];
      const ledger::GoroutineView goroutine = *ledger.goroutine(waiter.goid);
      leak.bytes += goroutine.stack_bytes;
      since = std::max(since, goroutine.age.at_least_since);
      DeadlockMember& told = members.emplace_back();
      told = {.goid = waiter.goid,
              .creation = *goroutine.creation,
              .blocked = *goroutine.place,
              .waits_for = graph.locks[waiter.lock].object,
              .holds = {},
              .blocked_at_least_since = goroutine.age.at_least_since};
      for (const std::size_t i : member.holders) {
        const LockGraph::Holder& holder = graph.holders[i];
        told.holds.push_back({.object = graph.locks[holder.lock].object, .frame = holder.frame});
      }
    }
    for (const Goid goid : deadlock.behind) {
      const auto goroutine = ledger.goroutine(goid);
      if (!goroutine) continue;
      leak.bytes += goroutine->stack_bytes;
      ++leak.behind;
    }
  }
  leak.count = members.size() + leak.behind;
  leak.reasoning = in_words(together);
  if (leak.behind > 0) leak.reasoning += "; " + std::to_string(leak.behind) + " more wait for the same locks";
  if (graph.unread > 0)
    leak.reasoning += "; " + std::to_string(graph.unread) + " that might hold them could not be looked at";
  leak.members = shown(std::move(members));
  for (const DeadlockMember& member : leak.members) {
    if (leak.goroutines.size() < 5) leak.goroutines.push_back(member.goid);
  }
  // Shown as the one of them whose place comes first by its id, whatever their numbers are in this run.
  const auto first = std::ranges::min_element(leak.members, {}, [&](const DeadlockMember& member) {
    return leak_id(service_, member.creation, member.blocked);
  });
  leak.creation = first->creation;
  leak.blocked = first->blocked;
  leak.site_id = site_id(service_, first->creation);
  leak.blocked_at_least_since = leak.blocked_at_most_since = since;
  return leak;
}

std::vector<Leak> DeadlockWatch::leaks() const {
  std::vector<Leak> leaks;
  leaks.reserve(known_.size());
  for (const auto& [id, known] : known_) leaks.push_back(known.leak);
  return leaks;
}

}  // namespace goleakd::verdict
