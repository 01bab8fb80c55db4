// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "daemon/inspection.h"
#include "snapshot/runtime_counters.h"
#include "snapshot/snapshot.h"
#include "target/process.h"
#include "verdict/lock_graph.h"

namespace goleakd::daemon {

// Reads other processes' memory on one thread of the lowest priority, one after the other, and hands back values:
// snapshots, and the few numbers that the Go runtime counts, which come before any snapshot that waits. Keeps each
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
    Duration cpu{};                           // of the threads that took it
    std::optional<Inspection> inspection;     // nothing when the request wanted nothing, or the look failed
    std::optional<verdict::LockGraph> locks;  // nothing when it was not asked for, or the look failed
  };
  struct Counted {
    std::shared_ptr<const target::GoProcess> process;
    Result<snapshot::RuntimeCounters> counters;
  };

  // `wake` is called from the worker whenever something is there to collect.
  SnapshotWorker(std::function<void()> wake, Duration deadline);
  SnapshotWorker(const SnapshotWorker&) = delete;
  SnapshotWorker& operator=(const SnapshotWorker&) = delete;
  ~SnapshotWorker();

  struct Request {
    std::shared_ptr<const target::GoProcess> process;
    Wanted wanted;
  };
  void request(Request request);
  // Does nothing while those of that process are still to come.
  void request_counters(std::shared_ptr<const target::GoProcess> process);
  // No more requests for it will come: its reader goes.
  void forget(const std::shared_ptr<const target::GoProcess>& process);
  // Ends the wait for a read that is past a deadline; to be called now and then.
  void check_deadline(Instant now);
  std::vector<Done> collect();
  std::vector<Counted> collect_counters();

 private:
  struct Shared;
  static void work(const std::shared_ptr<Shared>& shared, std::uint64_t generation);
  // One piece of work each, by the thread of that generation; false when it is no longer the one that counts.
  static bool take_snapshot(Shared& shared, std::uint64_t generation, std::unique_lock<std::mutex>& lock);
  static bool count(Shared& shared, std::uint64_t generation, std::unique_lock<std::mutex>& lock);
  template <typename Read>
  static bool read_unlocked(Shared& shared, std::uint64_t generation,
                            const std::shared_ptr<const target::GoProcess>& process, std::unique_lock<std::mutex>& lock,
                            const Read& read);
  void start_thread();

  std::shared_ptr<Shared> shared_;  // also held by threads that were left alone
};

}  // namespace goleakd::daemon
