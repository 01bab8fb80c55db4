// SPDX-License-Identifier: Apache-2.0
#include "snapshot/channel_look.h"

#include "snapshot/read_each.h"
#include "snapshot/type_names.h"

namespace goleakd::snapshot {

std::vector<ChannelLook> look_at_channels(const Memory& memory, const target::Layout& layout,
                                          std::uint64_t firstmoduledata, std::span<const std::uint64_t> addresses) {
  std::vector<ChannelLook> looks;
  if (addresses.empty()) return looks;
  const target::HchanLayout& hchan = layout.hchan;
  TypeNames names(memory, layout, firstmoduledata);
  std::vector<std::uint64_t> types;
  read_each(memory, addresses, hchan.size, [&](std::size_t i, ByteSpan bytes) {
    const auto word = [&](std::uint32_t offset) { return read_at<std::uint64_t>(bytes, offset).value_or(0); };
    const auto channel = decode_channel(bytes, addresses[i], hchan);
    const std::uint64_t index = word(hchan.recvx);
    if (!channel || !names.has(word(hchan.elemtype)) || index > channel->capacity) return;
    looks.push_back({.channel = *channel,
                     .receive_index = index,
                     .element = {},
                     .senders = word(hchan.sendq_first) != 0,
                     .receivers = word(hchan.recvq_first) != 0});
    types.push_back(word(hchan.elemtype));
  });
  for (std::size_t i = 0; i < looks.size(); ++i) looks[i].element = names.of(types[i]);
  return looks;
}

}  // namespace goleakd::snapshot
