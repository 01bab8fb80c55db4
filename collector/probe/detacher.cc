// SPDX-License-Identifier: Apache-2.0
#include "probe/detacher.h"

#include <system_error>
#include <utility>

namespace goleakd::probe {

void Detacher::finish() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    add_threads(kThreadsAtTheEnd);
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Detacher::take(std::vector<Link> links, std::function<void()> done) {
  {
    const std::lock_guard lock(mutex_);
    work_.push_back({.links = std::move(links), .done = std::move(done)});
    add_threads(kThreads);
  }
  changed_.notify_one();
}

// For the work that no idle one will take.
void Detacher::add_threads(std::size_t most) {
  for (std::size_t wanted = work_.size(); wanted > idle_ && threads_.size() < most; --wanted) {
    try {
      threads_.emplace_back([this] { run(); });
    } catch (const std::system_error&) {
      if (threads_.empty()) throw;
      return;  // no more are allowed: those that there are take longer
    }
  }
}

void Detacher::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    changed_.wait(lock, [this] { return ending_ || !work_.empty(); });
    --idle_;
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
