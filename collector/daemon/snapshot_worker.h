// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "snapshot/snapshot.h"
#include "target/process.h"

namespace goleakd::daemon {

// Takes snapshots on one thread of the lowest priority, one after the other, and hands back values. Keeps each
// process's reader, so that what stands still is not read again.
//
// Reading another process's memory may block for good in the kernel, when that process has mapped a file system which
// does not answer. Such a read is left alone with its thread after a deadline without progress, or after ten with some,
// and another thread goes on; its process is refused until the read has come back.
class SnapshotWorker {
 public:
  struct Done {
    std::shared_ptr<const target::GoProcess> process;
    Result<snapshot::Snapshot> snapshot;
    Duration took{};
    Duration cpu{};  // of the threads that took it
  };

  // `wake` is called from the worker whenever something is there to collect.
  SnapshotWorker(std::function<void()> wake, Duration deadline);
  SnapshotWorker(const SnapshotWorker&) = delete;
  SnapshotWorker& operator=(const SnapshotWorker&) = delete;
  ~SnapshotWorker();

  void request(std::shared_ptr<const target::GoProcess> process);
  // No more requests for it will come: its reader goes.
  void forget(const std::shared_ptr<const target::GoProcess>& process);
  // Ends the wait for a read that is past a deadline; to be called now and then.
  void check_deadline(Instant now);
  std::vector<Done> collect();

 private:
  struct Shared;
  static void work(const std::shared_ptr<Shared>& shared, std::uint64_t generation);
  void start_thread();

  std::shared_ptr<Shared> shared_;  // also held by threads that were left alone
};

}  // namespace goleakd::daemon
