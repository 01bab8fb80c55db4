// SPDX-License-Identifier: Apache-2.0
#include "verdict/stalls.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace goleakd::verdict {
namespace {

using ledger::Sibling;
using ledger::WaitClass;

// The elements of a timer's or a ticker's channel.
constexpr std::string_view kTime = "time.Time";
// Of what is closed to end those who receive from it, as a context's Done(): no work comes through an unbuffered one.
constexpr std::string_view kNothing = "struct {}";

bool is_full(const ChannelLook& look) { return look.capacity > 0 && look.length == look.capacity; }

bool same_channel(const ChannelLook& a, const ChannelLook& b) {
  return a.capacity == b.capacity && a.element == b.element;
}

// What single receives of a pool wait on: some of them, for each of a thousand may have a timer of its own.
std::vector<std::uint64_t> received_from(const Pool& pool) {
  constexpr std::size_t kSome = 4;
  std::vector<std::uint64_t> channels;
  for (const Sibling& sibling : pool.siblings()) {
    if (channels.size() == kSome) break;
    if (sibling.wait == WaitClass::chan_receive && sibling.channel != 0) channels.push_back(sibling.channel);
  }
  return channels;
}

}  // namespace

void Stalls::looked(std::span<const ChannelLook> looks, Instant at) {
  std::map<std::uint64_t, Held> before = std::exchange(held_, {});
  for (const ChannelLook& look : looks) {
    const auto known = before.find(look.address);
    Held held{.look = look, .still_since = at};
    if (known != before.end()) {
      const ChannelLook& last = known->second.look;
      if (!same_channel(last, look)) {
        // Another one has got the address of one that is gone.
        for (auto& [id, pool] : pools_) pool.forget(look.address);
      } else if (last.length == look.length && last.receive_index == look.receive_index) {
        held.still_since = known->second.still_since;
      }
    }
    held_.insert_or_assign(look.address, std::move(held));
  }
}

void Stalls::observe(const ledger::Ledger& ledger, Instant now) {
  std::set<ledger::CreationId> there;
  for (const ledger::SiblingsView& view : ledger.siblings(kMostSiblings)) {
    there.insert(view.id);
    pools_[view.id].observe(view, now);
  }
  std::erase_if(pools_, [&](const auto& entry) { return !there.contains(entry.first); });
  judge(ledger, now);
}

std::vector<std::uint64_t> Stalls::channels() const {
  std::set<std::uint64_t> channels;
  for (const auto& [id, pool] : pools_) {
    std::vector<std::uint64_t> wanted;
    for (const auto& [channel, queue] : pool.queues()) {
      if (queue.receivers.size() >= kFewest) wanted.push_back(channel);
    }
    if (wanted.empty()) continue;
    for (const std::uint64_t channel : received_from(pool)) wanted.push_back(channel);
    for (const std::uint64_t channel : wanted) {
      if (channels.size() < kMostChannels) channels.insert(channel);
    }
  }
  return {channels.begin(), channels.end()};
}

std::vector<ledger::Goid> Stalls::unclear(std::size_t most) {
  std::vector<ledger::Goid> goids;
  auto next = pools_.upper_bound(asked_);
  for (std::size_t i = 0; i < pools_.size() && goids.size() < most; ++i, ++next) {
    if (next == pools_.end()) next = pools_.begin();
    const auto& [id, pool] = *next;
    if (pool.siblings().size() < kFewest) continue;
    for (const ledger::Goid goid : pool.unclear(most - goids.size())) goids.push_back(goid);
    asked_ = id;
  }
  return goids;
}

void Stalls::selects(ledger::Goid goid, std::span<const ChannelLook> received_from) {
  std::vector<std::uint64_t> channels;
  for (const ChannelLook& channel : received_from) {
    const bool ends_them = channel.capacity == 0 && channel.element == kNothing;
    if (!ends_them && channel.element != kTime) channels.push_back(channel.address);
  }
  for (auto& [id, pool] : pools_) pool.selects(goid, channels);
}

const Stalls::Held* Stalls::held(std::uint64_t channel) const {
  const auto found = held_.find(channel);
  return found == held_.end() ? nullptr : &found->second;
}

bool Stalls::is_timer(std::uint64_t channel) const {
  const Held* found = held(channel);
  return found == nullptr || found->look.element == kTime;  // one that was not looked at may be one
}

bool Stalls::may_judge(const Pool& pool, Instant since) const {
  return pool.all_stuck_since(since) &&
         std::ranges::none_of(received_from(pool), [&](std::uint64_t channel) { return is_timer(channel); });
}

// Open, and nobody takes from it who could.
bool Stalls::is_starved(std::uint64_t channel, const std::map<std::uint64_t, std::vector<const Pool*>>& consumers,
                        Instant since) const {
  const Held* found = held(channel);
  if (found == nullptr || found->look.closed || found->look.receivers || found->look.element == kTime) return false;
  return std::ranges::all_of(consumers.at(channel), [&](const Pool* pool) { return pool->all_stuck_since(since); });
}

void Stalls::judge(const ledger::Ledger& ledger, Instant now) {
  stalled_.clear();
  const Instant since = now - after_;
  std::map<std::uint64_t, std::vector<const Pool*>> consumers;
  std::vector<const Pool*> stopped;
  for (const auto& [id, pool] : pools_) {
    for (const auto& [channel, queue] : pool.queues()) consumers[channel].push_back(&pool);
    if (may_judge(pool, since)) stopped.push_back(&pool);
  }
  if (stopped.empty()) return;
  std::vector<std::uint64_t> queues;
  for (const Pool* pool : stopped) {
    for (const auto& [channel, queue] : pool->queues()) queues.push_back(channel);
  }
  const auto senders = ledger.senders(queues, since);
  for (const Pool* pool : stopped) {
    for (const auto& [channel, queue] : pool->queues()) {
      if (queue.receivers.size() < kFewest || !(queue.for_work || pool->none_may_be_idle())) continue;
      if (!is_starved(channel, consumers, since)) continue;
      const Held& held = held_.at(channel);
      const bool full = is_full(held.look) && held.still_since <= since;
      const std::uint64_t stuck = senders.at(channel);
      if (!full && stuck == 0) continue;
      Instant latest = full && stuck == 0 ? held.still_since : Instant::min();
      for (const Sibling& sibling : pool->siblings()) latest = std::max(latest, sibling.since);
      stalled_[pool->site()] = {.goroutines = pool->siblings().size(),
                                .capacity = held.look.capacity,
                                .full = full,
                                .senders = stuck,
                                .still = now - latest};
      break;
    }
  }
}

}  // namespace goleakd::verdict
