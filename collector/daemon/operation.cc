// SPDX-License-Identifier: Apache-2.0
#include "daemon/operation.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace goleakd::daemon {
namespace {

using Frames = std::vector<snapshot::LogicalFrame>;

struct Operation {
  std::string_view function;
  std::string_view text;
};
// By the function of the runtime, or of sync, that does it: the innermost one of these on the stack says what it did.
constexpr std::array<Operation, 19> kOperations{{
    {"runtime.chansend", "send"},
    {"runtime.chanrecv", "receive"},
    {"runtime.closechan", "close"},
    {"runtime.selectgo", "select"},
    {"sync.(*Mutex).lockSlow", "lock"},
    {"internal/sync.(*Mutex).lockSlow", "lock"},
    {"sync.(*RWMutex).Lock", "lock"},
    {"sync.(*RWMutex).RLock", "lock"},
    {"sync.(*Mutex).unlockSlow", "unlock"},
    {"internal/sync.(*Mutex).unlockSlow", "unlock"},
    {"sync.(*RWMutex).Unlock", "unlock"},
    {"sync.(*RWMutex).RUnlock", "unlock"},
    {"sync.(*WaitGroup).Wait", "wait"},
    {"sync.(*WaitGroup).Add", "done"},
    {"sync.runtime_notifyListNotifyOne", "signal"},
    {"sync.runtime_notifyListNotifyAll", "broadcast"},
    {"sync.(*Cond).Signal", "signal"},
    {"sync.(*Cond).Broadcast", "broadcast"},
    {"runtime.goroutineReady", "timer"},
}};

using Frame = Frames::const_iterator;

Frame find_operation(Frame first, Frame last) {
  return std::find_if(first, last, [](const snapshot::LogicalFrame& frame) {
    return std::ranges::find(kOperations, frame.source->function, &Operation::function) != kOperations.end();
  });
}

std::string_view text_of(const snapshot::LogicalFrame& operation) {
  return std::ranges::find(kOperations, operation.source->function, &Operation::function)->text;
}

// Up to here they are the runtime's, sync's, and the like.
Frame end_of_plumbing(const Frames& frames) {
  return frames.begin() + static_cast<std::ptrdiff_t>(snapshot::blocked_frame(frames).value_or(0));
}

// The probed function is not on the stack that it was called from; what of sync has called it is.
std::string_view touch_text(const probe::Caught& caught, const Frames& frames) {
  const auto outside = end_of_plumbing(frames);
  const auto found = find_operation(frames.begin(), outside);
  const std::string_view of_sync = found == outside ? std::string_view() : text_of(*found);
  switch (caught.kind) {
    case GOLEAKD_SEND:
    case GOLEAKD_RECEIVE:
    case GOLEAKD_CLOSE:
      return probe::to_string(caught.kind);
    case GOLEAKD_SELECT:
      return caught.sends ? "select send" : "select receive";
    case GOLEAKD_ACQUIRE:
    case GOLEAKD_RELEASE:
      return of_sync.empty() ? probe::to_string(caught.kind) : of_sync;
    default:
      return of_sync;
  }
}

}  // namespace

std::string take_wake(Frames& frames) {
  const auto found = find_operation(frames.begin(), frames.end());
  if (found == frames.end()) return {};
  std::string text(text_of(*found));
  frames.erase(frames.begin(), found + 1);
  frames.erase(frames.begin(), end_of_plumbing(frames));
  return text;
}

std::string take_touch(const probe::Caught& caught, Frames& frames) {
  std::string text(touch_text(caught, frames));
  frames.erase(frames.begin(), end_of_plumbing(frames));
  return text;
}

}  // namespace goleakd::daemon
