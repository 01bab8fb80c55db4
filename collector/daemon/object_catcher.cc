// SPDX-License-Identifier: Apache-2.0
#include "daemon/object_catcher.h"

#include <string>
#include <utility>
#include <vector>

#include "daemon/operation.h"
#include "daemon/user_stack.h"

namespace goleakd::daemon {
namespace {

constexpr std::uint8_t kOfEach = 5;

}  // namespace

ObjectCatcher::ObjectCatcher(const target::GoProcess& process)
    : process_(process), probe_(process, probe::Group::objects), touches_(kOfEach) {}

void ObjectCatcher::wait_at(ObjectTouches::Addresses addresses, Instant begin, Instant end) {
  touches_.wait_at(std::move(addresses), begin, end, probe_.looked(end), probe_.lost());
}

bool ObjectCatcher::adjust(probe::Prober& prober, const probe::Plan& plan, Duration turn, std::uint32_t window_hits,
                           Instant now) {
  std::vector<probe::Wanted> sought;
  for (const auto& [id, own] : touches_.addresses()) {
    for (const auto& [address, wait] : own.at) {
      sought.push_back(
          {.what = address, .wait_reason = 0, .times = kOfEach, .siblings_kind = wait.kind, .siblings = own.siblings});
    }
  }
  const bool before = probe_.attached();
  probe_.adjust(prober, plan, sought, turn, window_hits, now);
  const bool changed = probe_.attached() != before;
  if (changed) touches_.end_turn();
  if (probe_.attached()) touches_.told_from(MonotonicClock::now());
  return changed && !before;
}

void ObjectCatcher::add(const probe::Caught& caught) {
  auto frames = frames_at(process_, caught.stack);
  std::string operation = take_touch(caught, frames);
  touches_.add(
      caught.what,
      {.frames = shown_stack(process_, frames), .operation = std::move(operation), .times = 1, .last = caught.at});
}

}  // namespace goleakd::daemon
