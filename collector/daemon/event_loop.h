// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace goleakd::daemon {

// One thread's epoll: callbacks for timers, for signals and for wake-ups from other threads, one after the other.
class EventLoop {
 public:
  static Result<std::unique_ptr<EventLoop>> make();

  Result<void> every(Duration interval, std::function<void()> callback);
  // The signals are blocked in the calling thread (and so in threads started later) and delivered here.
  Result<void> on_signals(const std::vector<int>& signals, std::function<void(int)> callback);
  // Each time that somebody is woken for a descriptor, which stays its owner's; not while it merely stays readable.
  Result<void> on_wakeup_of(int fd, std::function<void()> callback);
  // Gives a function that any thread may call, also after this loop is gone: `callback` then runs in the loop, once for
  // any number of calls.
  Result<std::function<void()>> on_wake(std::function<void()> callback);

  void run();                        // until stop()
  void stop() { running_ = false; }  // from a callback

 private:
  struct Source {
    UniqueFd fd;
    std::function<void(int)> ready;
  };

  EventLoop() = default;
  Result<void> add(UniqueFd fd, std::function<void(int)> ready, bool once_a_wakeup = false);

  UniqueFd epoll_;
  std::vector<std::unique_ptr<Source>> sources_;
  bool running_ = true;
};

}  // namespace goleakd::daemon
