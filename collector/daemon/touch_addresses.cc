// SPDX-License-Identifier: Apache-2.0
#include "daemon/touch_addresses.h"

#include <algorithm>
#include <string>

namespace goleakd::daemon {
namespace {

goleakd_kind direction(const ledger::ObjectDump& channel) {
  const auto sends = std::pair<std::string, ledger::ObjectDump::Value>("direction", std::string("send"));
  return std::ranges::find(channel.attributes, sends) != channel.attributes.end() ? GOLEAKD_SEND : GOLEAKD_RECEIVE;
}

}  // namespace

void TouchAddresses::add(const target::Layout& layout, const ledger::ObjectDump& object) {
  const auto waits_alone = [&](std::uint64_t offset, goleakd_kind kind) {
    at[object.address + offset] = {.kind = kind, .alone = true};
  };
  if (object.kind == "channel") waits_alone(0, direction(object));
  if (object.kind == "semaphore") waits_alone(0, GOLEAKD_ACQUIRE);
  if (object.kind == "mutex") waits_alone(layout.mutex.sema, GOLEAKD_ACQUIRE);
  if (object.kind == "waitgroup") waits_alone(layout.wait_group.sema, GOLEAKD_ACQUIRE);
  if (object.kind == "cond") waits_alone(layout.cond.notify, GOLEAKD_ACQUIRE);
  if (object.kind == "rwmutex") {
    // Writers wait for one another at the mutex that is its first field.
    for (const std::uint32_t offset : {layout.mutex.sema, layout.rw_mutex.reader_sem, layout.rw_mutex.writer_sem})
      at.try_emplace(object.address + offset, Wait{.kind = GOLEAKD_ACQUIRE, .alone = false});
  }
  for (const ledger::ObjectDump& channel : object.cases)
    at.try_emplace(channel.address, Wait{.kind = GOLEAKD_SELECT, .alone = false});
}

}  // namespace goleakd::daemon
