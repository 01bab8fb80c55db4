// SPDX-License-Identifier: Apache-2.0
#include "snapshot/channels.h"

#include "snapshot/merged_read.h"
#include "snapshot/sudog.h"
#include "snapshot/wait_kind.h"

namespace goleakd::snapshot {

std::optional<Channel> decode_channel(ByteSpan bytes, std::uint64_t address, const target::HchanLayout& layout) {
  const auto length = read_at<std::uint64_t>(bytes, layout.qcount);
  const auto capacity = read_at<std::uint64_t>(bytes, layout.dataqsiz);
  const auto closed = read_at<std::uint32_t>(bytes, layout.closed);
  if (!length || !capacity || !closed || *length > *capacity) return std::nullopt;
  return Channel{.address = address, .length = *length, .capacity = *capacity, .closed = *closed != 0};
}

Result<std::vector<std::optional<Channel>>> read_channels(const Memory& memory, const target::Layout& layout,
                                                          const std::vector<RawGoroutine>& goroutines) {
  std::vector<std::optional<Channel>> channels(goroutines.size());
  std::vector<std::size_t> waiting;
  MergedRead sudogs;
  for (std::size_t i = 0; i < goroutines.size(); ++i) {
    const RawGoroutine& g = goroutines[i];
    const WaitKind kind = g.blocked() ? wait_kind(layout.wait_reason(g.wait_reason)) : WaitKind::none;
    if (g.waiting == 0 || (kind != WaitKind::channel_send && kind != WaitKind::channel_receive)) continue;
    waiting.push_back(i);
    sudogs.add(g.waiting, layout.sudog.size);
  }
  if (auto ok = sudogs.read(memory); !ok) return fail(ok.error());

  std::vector<std::uint64_t> addresses(waiting.size());
  MergedRead hchans;
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    const RawGoroutine& g = goroutines[waiting[i]];
    const Sudog sudog = decode_sudog(sudogs[i], g.waiting, layout.sudog);
    // The sudog says whose it is: one that has been freed and used again says another g.
    if (sudog.g == g.address) addresses[i] = sudog.c;
    hchans.add(addresses[i], addresses[i] == 0 ? 0 : layout.hchan.size);
  }
  if (auto ok = hchans.read(memory); !ok) return fail(ok.error());
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    channels[waiting[i]] = decode_channel(hchans[i], addresses[i], layout.hchan);
  }
  return channels;
}

}  // namespace goleakd::snapshot
