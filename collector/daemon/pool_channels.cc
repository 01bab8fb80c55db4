// SPDX-License-Identifier: Apache-2.0
#include "daemon/pool_channels.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace goleakd::daemon {
namespace {

using ledger::attribute;

verdict::ChannelLook look_of(const snapshot::ChannelLook& look) {
  return {.address = look.channel.address,
          .length = look.channel.length,
          .capacity = look.channel.capacity,
          .receive_index = look.receive_index,
          .element = look.element,
          .closed = look.channel.closed,
          .receivers = look.receivers};
}

std::vector<verdict::ChannelLook> received_from(const ledger::ObjectDump& select) {
  std::vector<verdict::ChannelLook> channels;
  for (const ledger::ObjectDump& channel : select.cases) {
    if (attribute<std::string>(channel, "direction") != "receive") continue;
    verdict::ChannelLook look;
    look.address = channel.address;
    look.capacity = attribute<std::uint64_t>(channel, "capacity").value_or(0);
    look.element = attribute<std::string>(channel, "element").value_or("");
    channels.push_back(std::move(look));
  }
  return channels;
}

}  // namespace

void tell_stalls(const Inspection& inspection, verdict::Stalls& stalls) {
  std::vector<verdict::ChannelLook> looks;
  looks.reserve(inspection.channels.size());
  for (const snapshot::ChannelLook& look : inspection.channels) looks.push_back(look_of(look));
  stalls.looked(looks, inspection.begin);
  for (const Inspection::Seen& seen : inspection.seen) {
    if (seen.object.kind == "select") stalls.selects(seen.goid, received_from(seen.object));
  }
}

}  // namespace goleakd::daemon
