// SPDX-License-Identifier: Apache-2.0
#include "probe/detacher.h"

#include <utility>

namespace goleakd::probe {

Detacher::Detacher() : thread_([this] { run(); }) {}

void Detacher::finish() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Detacher::take(std::vector<Link> links, std::function<void()> done) {
  {
    const std::lock_guard lock(mutex_);
    work_.push_back({.links = std::move(links), .done = std::move(done)});
  }
  changed_.notify_one();
}

void Detacher::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || !work_.empty(); });
    if (work_.empty()) return;
    Work work = std::move(work_.front());
    work_.pop_front();
    lock.unlock();
    work.links.clear();
    work.done();
    lock.lock();
  }
}

}  // namespace goleakd::probe
