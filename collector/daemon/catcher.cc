// SPDX-License-Identifier: Apache-2.0
#include "daemon/catcher.h"

#include <cstddef>
#include <utility>

#include "daemon/caught_stacks.h"
#include "daemon/operation.h"
#include "daemon/user_stack.h"

namespace goleakd::daemon {
namespace {

constexpr std::uint8_t kOfEach = 5;
constexpr std::size_t kMaxKeys = 128;

}  // namespace

void Catcher::want(const std::string& id, const std::vector<std::uint64_t>& gopcs, std::uint8_t wait_reason) {
  for (const std::uint64_t gopc : gopcs) {
    const Key key(gopc, wait_reason);
    if (ids_.size() < kMaxKeys || ids_.contains(key)) ids_[key].insert(id);
  }
}

std::vector<probe::Wanted> Catcher::wanted() const {
  std::vector<probe::Wanted> wanted;
  for (const auto& [key, ids] : ids_) {
    const auto caught = caught_.find(key);
    const std::uint32_t have = caught == caught_.end() ? 0 : caught->second;
    if (have >= kOfEach) continue;
    wanted.push_back({.what = key.first,
                      .wait_reason = key.second,
                      .times = static_cast<std::uint8_t>(kOfEach - have),
                      .siblings_kind = {},
                      .siblings = {}});
  }
  return wanted;
}

void Catcher::add(const probe::Caught& caught) {
  const Key key(caught.what, caught.wait_reason);
  const auto ids = ids_.find(key);
  if (ids == ids_.end()) return;
  ++caught_[key];
  auto frames = frames_at(process_, caught.stack);
  std::string operation = caught.kind == GOLEAKD_WAKER ? take_wake(frames) : std::string();
  const verdict::CaughtStack one{
      .frames = shown_stack(process_, frames), .operation = std::move(operation), .times = 1, .last = caught.at};
  for (const std::string& id : ids->second) add_caught(known_[id], one);
}

}  // namespace goleakd::daemon
