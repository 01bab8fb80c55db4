// SPDX-License-Identifier: Apache-2.0
#include "daemon/object_touches.h"

#include <algorithm>
#include <utility>

#include "daemon/caught_stacks.h"

namespace goleakd::daemon {
namespace {

constexpr std::size_t kMaxTouches = 1024;  // between two looks

}  // namespace

bool ObjectTouches::waits_at(const std::string& id, std::uint64_t address) const {
  const auto own = addresses_.find(id);
  return own != addresses_.end() && own->second.at.contains(address);
}

void ObjectTouches::wait_at(Addresses addresses, Instant begin, Instant end, Duration watched, bool lost) {
  settle(addresses, end, watched);
  addresses_ = std::move(addresses);
  sure_.clear();
  if (!lost) find_sure(begin);
}

// What was done before the end of the look to what is still waited on counts, and else is forgotten.
void ObjectTouches::settle(const Addresses& now, Instant end, Duration watched) {
  std::erase_if(known_, [&](const auto& entry) { return !now.contains(entry.first); });
  const Duration more = watched - watched_;
  watched_ = watched;
  for (const auto& [id, own] : now) {
    const bool still = std::ranges::any_of(own.at, [&](const auto& wait) { return waits_at(id, wait.first); });
    if (!still || (more == Duration(0) && touches_.empty())) continue;
    verdict::Touches& known = known_[id];
    known.watched += more;
    for (const Touch& touch : touches_) {
      if (touch.stack.last <= end && own.at.contains(touch.address) && waits_at(id, touch.address))
        add_caught(known.by, touch.stack);
    }
  }
  std::erase_if(touches_, [&](const Touch& touch) { return touch.stack.last <= end; });
}

// Where everything has been told since before the look began, and nothing since then.
void ObjectTouches::find_sure(Instant begin) {
  for (const auto& [id, own] : addresses_) {
    for (const auto& [address, wait] : own.at) {
      if (!wait.alone) continue;
      const auto told = told_.find(address);
      if (told == told_.end() || told->second.from > begin || told->second.last >= begin) continue;
      if (told->second.times < each_) sure_.insert(address);
    }
  }
}

void ObjectTouches::told_from(Instant now) {
  for (const auto& [id, own] : addresses_) {
    for (const auto& [address, wait] : own.at) told_.try_emplace(address, Told{.from = now});
  }
}

void ObjectTouches::end_turn() {
  told_.clear();
  sure_.clear();
}

void ObjectTouches::add(std::uint64_t address, const verdict::CaughtStack& touch) {
  if (const auto told = told_.find(address); told != told_.end()) {
    ++told->second.times;
    told->second.last = std::max(told->second.last, touch.last);
  }
  if (sure_.erase(address) == 0) {
    if (touches_.size() < kMaxTouches) touches_.push_back({.address = address, .stack = touch});
    return;
  }
  for (const auto& [id, own] : addresses_) {
    const auto wait = own.at.find(address);
    if (wait != own.at.end() && wait->second.alone) add_caught(known_[id].by, touch);
  }
}

}  // namespace goleakd::daemon
