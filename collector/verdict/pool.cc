// SPDX-License-Identifier: Apache-2.0
#include "verdict/pool.h"

#include <algorithm>

namespace goleakd::verdict {
namespace {

using ledger::Sibling;
using ledger::WaitClass;

// Time, or another coroutine, ends such a rest; the others may last.
bool may_last(WaitClass wait) {
  return wait != WaitClass::none && wait != WaitClass::sleep && wait != WaitClass::coroutine &&
         wait != WaitClass::runtime;
}

}  // namespace

void Pool::observe(const ledger::SiblingsView& view, Instant now) {
  std::set<ledger::Goid> alive;
  for (const Sibling& sibling : view.all) alive.insert(sibling.goid);
  // Goids only ever become larger: of as many, with the same newest, none has come, so none has gone.
  const ledger::Goid newest = alive.empty() ? 0 : *alive.rbegin();
  if (view_.all.size() != view.all.size() || newest != newest_) steady_since_ = now;
  newest_ = newest;
  view_ = view;
  const auto gone = [&](ledger::Goid goid) { return !alive.contains(goid); };
  for (auto& [channel, queue] : queues_) std::erase_if(queue.receivers, gone);
  for (auto& [place, asked] : clear_) std::erase_if(asked, gone);
  std::erase_if(queues_, [](const auto& entry) { return entry.second.receivers.empty(); });
  std::erase_if(clear_, [](const auto& entry) { return entry.second.empty(); });
  for (const Sibling& sibling : view.all) {
    if (sibling.wait == WaitClass::chan_receive && sibling.channel != 0)
      note(sibling.channel, sibling, sibling.place->in_loop);
  }
}

void Pool::selects(ledger::Goid goid, std::span<const std::uint64_t> channels) {
  const auto sibling = std::ranges::find(view_.all, goid, &Sibling::goid);
  if (sibling == view_.all.end() || sibling->wait != WaitClass::select) return;
  clear_[sibling->place].insert(goid);
  for (const std::uint64_t channel : channels) note(channel, *sibling, true);
}

void Pool::note(std::uint64_t channel, const Sibling& sibling, bool for_work) {
  if (queues_.size() >= kQueues && !queues_.contains(channel)) {
    const auto lonely =
        std::ranges::find_if(queues_, [](const auto& entry) { return entry.second.receivers.size() < 2; });
    if (lonely == queues_.end()) return;
    queues_.erase(lonely);
  }
  Queue& queue = queues_[channel];
  queue.receivers.insert(sibling.goid);
  queue.for_work = queue.for_work || for_work;
  if (sibling.wait == WaitClass::select) queue.selects.insert(sibling.place);
}

bool Pool::waits_for_work(const Sibling& sibling) const {
  if (sibling.wait == WaitClass::chan_receive) return sibling.place->in_loop;
  if (sibling.wait != WaitClass::select) return false;
  return std::ranges::any_of(queues_, [&](const auto& entry) {
    return entry.second.receivers.size() > 1 && entry.second.selects.contains(sibling.place);
  });
}

bool Pool::all_stuck_since(Instant then) const {
  return steady_since_ <= then && std::ranges::all_of(view_.all, [&](const Sibling& sibling) {
           return sibling.resting && sibling.since <= then && may_last(sibling.wait) && !waits_for_work(sibling);
         });
}

bool Pool::none_may_be_idle() const {
  return std::ranges::all_of(view_.all, [](const Sibling& sibling) {
    switch (sibling.wait) {
      case WaitClass::chan_send:
      case WaitClass::chan_send_nil:
      case WaitClass::chan_receive_nil:
      case WaitClass::select_no_cases:
      case WaitClass::mutex:
      case WaitClass::rwmutex_read:
      case WaitClass::rwmutex_write:
      case WaitClass::wait_group:
      case WaitClass::semaphore:
        return true;
      default:
        return false;
    }
  });
}

std::vector<ledger::Goid> Pool::unclear(std::size_t most) const {
  constexpr std::size_t kAsked = 2;  // a queue is one that two of them receive from
  std::vector<ledger::Goid> goids;
  std::map<const ledger::BlockedPlace*, std::size_t> asked;
  for (const Sibling& sibling : view_.all) {
    if (goids.size() >= most) break;
    if (sibling.wait != WaitClass::select) continue;
    const auto known = clear_.find(sibling.place);
    if (known != clear_.end() && known->second.contains(sibling.goid)) continue;
    std::size_t& count =
        asked.try_emplace(sibling.place, known == clear_.end() ? 0 : known->second.size()).first->second;
    if (count++ < kAsked) goids.push_back(sibling.goid);
  }
  return goids;
}

}  // namespace goleakd::verdict
