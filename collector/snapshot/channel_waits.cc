// SPDX-License-Identifier: Apache-2.0
#include "snapshot/channel_waits.h"

#include <unordered_map>
#include <utility>

#include "snapshot/read_each.h"
#include "snapshot/sudog.h"

namespace goleakd::snapshot {
namespace {

// Sudogs of goroutines that the snapshot does not have, met in queues: so many one after another, so many in all.
constexpr int kMaxRounds = 4096;
constexpr std::size_t kMaxStrangers = 1U << 20U;

struct Queued {
  std::uint64_t channel;
  std::uint64_t next;
  ChannelSide side;
};

struct Walk {
  std::uint32_t channel;
  ChannelSide side;
  std::uint64_t at;
};

class Queues {
 public:
  Queues(const Memory& memory, const target::Layout& layout, ChannelWaits& waits)
      : memory_(memory), layout_(layout), waits_(waits) {}

  void add(const Sudog& sudog) { known_.try_emplace(sudog.address, Queued{sudog.c, sudog.next, ChannelSide::unknown}); }

  void walk(std::vector<Walk> walks) {
    const std::size_t limit = known_.size() + kMaxStrangers;
    for (int round = 0; round < kMaxRounds && !walks.empty() && known_.size() < limit; ++round) {
      std::vector<Walk> stuck;
      for (Walk& walk : walks) {
        if (!to_end(walk)) stuck.push_back(walk);
      }
      walks = read_strangers(stuck);
    }
    for (const Walk& walk : walks) waits_.channels[walk.channel].more = true;
  }

  ChannelSide side_of(std::uint64_t sudog) const {
    const auto found = known_.find(sudog);
    return found == known_.end() ? ChannelSide::unknown : found->second.side;
  }

 private:
  // False when it has come to a sudog that has to be read.
  bool to_end(Walk& walk) {
    ChannelState& state = waits_.channels[walk.channel];
    std::uint64_t& count = walk.side == ChannelSide::send ? state.senders : state.receivers;
    while (walk.at != 0) {
      const auto found = known_.find(walk.at);
      if (found == known_.end()) return false;
      Queued& queued = found->second;
      // One that has been here already ends a circle; one of another channel has left meanwhile.
      if (queued.side != ChannelSide::unknown || queued.channel != state.channel.address) return true;
      queued.side = walk.side;
      ++count;
      walk.at = queued.next;
    }
    return true;
  }

  std::vector<Walk> read_strangers(const std::vector<Walk>& stuck) {
    std::vector<std::uint64_t> addresses;
    addresses.reserve(stuck.size());
    for (const Walk& walk : stuck) addresses.push_back(walk.at);
    std::vector<Walk> on;
    read_each(memory_, addresses, layout_.sudog.size, [&](std::size_t i, ByteSpan bytes) {
      add(decode_sudog(bytes, addresses[i], layout_.sudog));
      on.push_back(stuck[i]);
    });
    return on;
  }

  const Memory& memory_;
  const target::Layout& layout_;
  ChannelWaits& waits_;
  std::unordered_map<std::uint64_t, Queued> known_;  // by address of the sudog
};

ChannelSide side_of_kind(WaitKind kind) {
  if (kind == WaitKind::channel_send) return ChannelSide::send;
  return kind == WaitKind::channel_receive ? ChannelSide::receive : ChannelSide::unknown;
}

}  // namespace

ChannelWaits read_channel_waits(const Memory& memory, const target::Layout& layout,
                                std::span<const RawGoroutine> goroutines, std::span<const WaitKind> kinds) {
  std::vector<bool> wanted(goroutines.size());
  for (std::size_t i = 0; i < goroutines.size(); ++i) wanted[i] = on_channels(kinds[i]);
  const auto sudogs = read_waiting_sudogs(memory, layout.sudog, goroutines, wanted);

  std::vector<std::uint64_t> addresses;
  std::unordered_map<std::uint64_t, std::uint32_t> index;  // of each channel: into addresses, later into the result
  for (const WaitingSudog& waiting : sudogs) {
    if (waiting.sudog.c != 0 && index.try_emplace(waiting.sudog.c, 0).second) addresses.push_back(waiting.sudog.c);
  }
  index.clear();
  ChannelWaits waits;
  std::vector<Walk> walks;
  const target::HchanLayout& hchan = layout.hchan;
  read_each(memory, addresses, hchan.size, [&](std::size_t i, ByteSpan bytes) {
    const auto channel = decode_channel(bytes, addresses[i], hchan);
    if (!channel) return;
    const auto number = static_cast<std::uint32_t>(waits.channels.size());
    index.emplace(addresses[i], number);
    waits.channels.push_back(
        {.channel = *channel, .element_type = read_at<std::uint64_t>(bytes, hchan.elemtype).value_or(0)});
    walks.push_back({number, ChannelSide::receive, read_at<std::uint64_t>(bytes, hchan.recvq_first).value_or(0)});
    walks.push_back({number, ChannelSide::send, read_at<std::uint64_t>(bytes, hchan.sendq_first).value_or(0)});
  });

  Queues queues(memory, layout, waits);
  for (const WaitingSudog& waiting : sudogs) queues.add(waiting.sudog);
  queues.walk(std::move(walks));
  for (const WaitingSudog& waiting : sudogs) {
    const auto channel = index.find(waiting.sudog.c);
    if (channel == index.end()) continue;
    const ChannelSide known = side_of_kind(kinds[waiting.goroutine]);
    waits.uses.push_back({.goroutine = waiting.goroutine,
                          .channel = channel->second,
                          .side = known == ChannelSide::unknown ? queues.side_of(waiting.sudog.address) : known});
  }
  return waits;
}

}  // namespace goleakd::snapshot
