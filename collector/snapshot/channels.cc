// SPDX-License-Identifier: Apache-2.0
#include "snapshot/channels.h"

#include "snapshot/sudog.h"

namespace goleakd::snapshot {

std::optional<Channel> decode_channel(ByteSpan bytes, std::uint64_t address, const target::HchanLayout& layout) {
  const auto length = read_at<std::uint64_t>(bytes, layout.qcount);
  const auto capacity = read_at<std::uint64_t>(bytes, layout.dataqsiz);
  const auto closed = read_at<std::uint32_t>(bytes, layout.closed);
  if (!length || !capacity || !closed || *length > *capacity) return std::nullopt;
  return Channel{.address = address, .length = *length, .capacity = *capacity, .closed = *closed != 0};
}

Result<std::span<const std::optional<Channel>>> ChannelReader::read(const Memory& memory,
                                                                    std::span<const RawGoroutine> goroutines) {
  channels_.assign(goroutines.size(), std::nullopt);
  waiting_.clear();
  reads_.clear();
  for (std::size_t i = 0; i < goroutines.size(); ++i) {
    const RawGoroutine& g = goroutines[i];
    const WaitKind kind = g.blocked() ? kinds_[g.wait_reason] : WaitKind::none;
    if (g.waiting == 0 || (kind != WaitKind::channel_send && kind != WaitKind::channel_receive)) continue;
    waiting_.push_back(i);
    reads_.add(g.waiting, layout_.sudog.size);
  }
  if (auto ok = reads_.read(memory); !ok) return fail(ok.error());

  addresses_.assign(waiting_.size(), 0);
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    const RawGoroutine& g = goroutines[waiting_[i]];
    const Sudog sudog = decode_sudog(reads_[i], g.waiting, layout_.sudog);
    // The sudog says whose it is: one that has been freed and used again says another g.
    if (sudog.g == g.address) addresses_[i] = sudog.c;
  }
  reads_.clear();
  for (const std::uint64_t address : addresses_) reads_.add(address, address == 0 ? 0 : layout_.hchan.size);
  if (auto ok = reads_.read(memory); !ok) return fail(ok.error());
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    channels_[waiting_[i]] = decode_channel(reads_[i], addresses_[i], layout_.hchan);
  }
  return channels_;
}

}  // namespace goleakd::snapshot
