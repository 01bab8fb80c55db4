// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "snapshot/snapshot.h"
#include "target/process.h"

namespace goleakd::daemon {

// Takes snapshots on one thread of the lowest priority, one after the other, and hands back values.
class SnapshotWorker {
 public:
  struct Done {
    std::shared_ptr<const target::GoProcess> process;
    Result<snapshot::Snapshot> snapshot;
    Duration took{};
  };

  // `wake` is called from the worker whenever something is there to collect.
  explicit SnapshotWorker(std::function<void()> wake);
  SnapshotWorker(const SnapshotWorker&) = delete;
  SnapshotWorker& operator=(const SnapshotWorker&) = delete;
  ~SnapshotWorker();

  void request(std::shared_ptr<const target::GoProcess> process);
  std::vector<Done> collect();

 private:
  void work();

  std::function<void()> wake_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<const target::GoProcess>> waiting_;
  std::vector<Done> done_;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace goleakd::daemon
