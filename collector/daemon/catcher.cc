// SPDX-License-Identifier: Apache-2.0
#include "daemon/catcher.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <string_view>

#include "daemon/user_stack.h"
#include "probe/hit_counters.h"

namespace goleakd::daemon {
namespace {

constexpr std::uint32_t kOfEach = 5;
constexpr std::size_t kMaxKeys = 128;
// Between two turns: whoever comes only now and then is caught some day.
constexpr Duration kPause = std::chrono::minutes(1);

struct Operation {
  std::string_view function;
  std::string_view text;
};
// By the function of the runtime, or of sync, that wakes: the innermost one of these on the waker's stack says what it
// did.
constexpr std::array<Operation, 12> kOperations{{
    {"runtime.chansend", "send"},
    {"runtime.chanrecv", "receive"},
    {"runtime.closechan", "close"},
    {"runtime.selectgo", "select"},
    {"sync.(*Mutex).unlockSlow", "unlock"},
    {"internal/sync.(*Mutex).unlockSlow", "unlock"},
    {"sync.(*RWMutex).Unlock", "unlock"},
    {"sync.(*RWMutex).RUnlock", "unlock"},
    {"sync.(*WaitGroup).Add", "done"},
    {"sync.runtime_notifyListNotifyOne", "signal"},
    {"sync.runtime_notifyListNotifyAll", "broadcast"},
    {"runtime.goroutineReady", "timer"},
}};

// Takes the operation's own frames away, and the plumbing above them, and names it; empty when it is none of these.
std::string take_operation(std::vector<snapshot::LogicalFrame>& frames) {
  for (auto frame = frames.begin(); frame != frames.end(); ++frame) {
    const auto known = std::ranges::find(kOperations, frame->source->function, &Operation::function);
    if (known == kOperations.end()) continue;
    frames.erase(frames.begin(), frame + 1);
    if (const auto outside = snapshot::blocked_frame(frames))
      frames.erase(frames.begin(), frames.begin() + static_cast<std::ptrdiff_t>(*outside));
    return std::string(known->text);
  }
  return {};
}

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
    if (have < kOfEach) wanted.push_back({.gopc = key.first, .wait_reason = key.second, .times = kOfEach - have});
  }
  return wanted;
}

void Catcher::end_turn(Instant now) {
  looked_ += now - began_;
  probe::add(past_, probe_->counters());
  probe_.reset();
  next_turn_ = now + kPause;
}

void Catcher::adjust(probe::Prober& prober, const probe::Plan& plan, Duration turn, std::uint32_t window_hits,
                     Instant now) {
  const auto sought = wanted();
  if (attached()) {
    const bool over = sought.empty() || now - began_ >= turn || probe_->counters().lost_storm > 0;
    if (over) end_turn(now);
    return;
  }
  if (sought.empty() || turn == Duration(0) || now < next_turn_ || !plan.has(group_)) return;
  auto probe = prober.attach_to_catch(process_, plan, group_, sought, window_hits);
  if (!probe) {
    next_turn_ = now + kPause;
    spdlog::warn("{} (pid {}): {} can't be seen: {}", process_.service, process_.pid, to_string(group_),
                 probe.error().message());
    return;
  }
  probe_ = std::move(*probe);
  began_ = now;
  spdlog::info("{} (pid {}): looking for the {}", process_.service, process_.pid, to_string(group_));
}

void Catcher::add(const probe::Caught& caught) {
  const Key key(caught.gopc, caught.wait_reason);
  const auto ids = ids_.find(key);
  if (ids == ids_.end()) return;
  ++caught_[key];
  auto frames = frames_at(process_, caught.stack);
  std::string operation = take_operation(frames);
  const verdict::CaughtStack one{
      .frames = shown_stack(process_, frames), .operation = std::move(operation), .times = 1, .last = caught.at};
  for (const std::string& id : ids->second) {
    auto& stacks = known_[id];
    const auto same = std::ranges::find_if(stacks, [&](const verdict::CaughtStack& known) {
      return known.frames == one.frames && known.operation == one.operation;
    });
    if (same == stacks.end()) {
      stacks.push_back(one);
    } else {
      ++same->times;
      same->last = std::max(same->last, one.last);
    }
    std::ranges::stable_sort(stacks, std::greater{}, &verdict::CaughtStack::times);
  }
}

std::optional<std::uint16_t> Catcher::slot() const { return attached() ? std::optional(probe_->slot()) : std::nullopt; }

goleakd_counters Catcher::counters() const {
  goleakd_counters sum = past_;
  if (attached()) probe::add(sum, probe_->counters());
  return sum;
}

}  // namespace goleakd::daemon
