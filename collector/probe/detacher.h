// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "probe/links.h"

namespace goleakd::probe {

// Takes probes away on threads of its own: the kernel lets its caller wait for that, some 30 ms for a uprobe_multi link
// and 110 ms for each perf event, and seconds on a host without a free processor. Those who wait at the same time do so
// for the same moment, so there are more threads while there is much to take away, and many at the end.
class Detacher {
 public:
  Detacher() = default;
  Detacher(const Detacher&) = delete;
  Detacher& operator=(const Detacher&) = delete;
  ~Detacher() { finish(); }

  // `done` is called on one of its threads, once the links are gone.
  void take(std::vector<Link> links, std::function<void()> done);
  // Does what it has been given, and nothing after that.
  void finish();

 private:
  struct Work {
    std::vector<Link> links;
    std::function<void()> done;
  };
  // deploy/systemd/goleakd.service allows 64 tasks in all, and there are two of these.
  static constexpr std::size_t kThreads = 4;
  static constexpr std::size_t kThreadsAtTheEnd = 16;

  void add_threads(std::size_t most);
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> work_;
  bool ending_ = false;
  std::size_t idle_ = 0;  // threads that wait for work
  std::vector<std::thread> threads_;
};

}  // namespace goleakd::probe
