// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "probe/links.h"

namespace goleakd::probe {

// Takes probes away on a thread of its own: the kernel lets its caller wait for that, some 30 ms for a uprobe_multi
// link and 110 ms for each perf event.
class Detacher {
 public:
  Detacher();
  Detacher(const Detacher&) = delete;
  Detacher& operator=(const Detacher&) = delete;
  ~Detacher() { finish(); }

  // `done` is called on its thread, once the links are gone.
  void take(std::vector<Link> links, std::function<void()> done);
  // Does what it has been given, and nothing after that.
  void finish();

 private:
  struct Work {
    std::vector<Link> links;
    std::function<void()> done;
  };
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> work_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace goleakd::probe
