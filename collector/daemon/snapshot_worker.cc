// SPDX-License-Identifier: Apache-2.0
#include "daemon/snapshot_worker.h"

#include <sys/resource.h>
#include <unistd.h>

#include <exception>
#include <string>
#include <utility>

#include "snapshot/process_memory.h"

namespace goleakd::daemon {

namespace {

// What no bound has foreseen (memory, above all) must not take the other targets along.
Result<snapshot::Snapshot> take(const target::GoProcess& process) {
  try {
    return snapshot::take_snapshot(process, snapshot::ProcessMemory(process.pid));
  } catch (const std::exception& e) {
    return fail(ErrorKind::system, "reading process " + std::to_string(process.pid) + ": " + e.what());
  }
}

}  // namespace

SnapshotWorker::SnapshotWorker(std::function<void()> wake) : wake_(std::move(wake)), thread_([this] { work(); }) {}

SnapshotWorker::~SnapshotWorker() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void SnapshotWorker::request(std::shared_ptr<const target::GoProcess> process) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(process));
  }
  changed_.notify_one();
}

std::vector<SnapshotWorker::Done> SnapshotWorker::collect() {
  const std::lock_guard lock(mutex_);
  return std::exchange(done_, {});
}

void SnapshotWorker::work() {
  constexpr int kLowest = 19;
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kLowest);  // of this thread only, on Linux
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    auto process = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    const Instant begin = MonotonicClock::now();
    auto snapshot = take(*process);
    const Duration took = MonotonicClock::now() - begin;
    lock.lock();
    done_.push_back({.process = std::move(process), .snapshot = std::move(snapshot), .took = took});
    wake_();
  }
}

}  // namespace goleakd::daemon
