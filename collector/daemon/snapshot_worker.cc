// SPDX-License-Identifier: Apache-2.0
#include "daemon/snapshot_worker.h"

#include <sys/resource.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "base/duration.h"
#include "snapshot/process_memory.h"
#include "snapshot/reader.h"

namespace goleakd::daemon {
namespace {

using ProcessPtr = std::shared_ptr<const target::GoProcess>;

// Deadlines that a read may take as a whole while it gets on: on a host without a free processor it is slow, at the
// lowest priority; and a target must not hold up the others for good by being a little faster than the deadline.
constexpr int kDeadlinesInAll = 10;

// A reader with the memory that it borrows.
struct Reading {
  explicit Reading(const ProcessPtr& process) : memory(process->pid), reader(process, memory) {}
  snapshot::ProcessMemory memory;
  snapshot::Reader reader;
};

// What no bound has foreseen (memory, above all) must not take the other targets along.
Result<snapshot::Snapshot> take(Reading& reading, int pid, const snapshot::SnapshotOptions& options) {
  try {
    return reading.reader.take(options);
  } catch (const std::exception& e) {
    return fail(ErrorKind::system, "reading process " + std::to_string(pid) + ": " + e.what());
  }
}

}  // namespace

struct SnapshotWorker::Shared {
  std::function<void()> wake;
  Duration deadline;
  std::mutex mutex;
  std::condition_variable changed;
  std::condition_variable idle;  // current has been reset
  std::deque<ProcessPtr> waiting;
  std::vector<Done> done;
  std::map<ProcessPtr, std::unique_ptr<Reading>> readings;  // but the one that is at work
  std::set<ProcessPtr> hung;                                // left alone with their threads
  bool stopping = false;
  std::uint64_t generation = 0;  // of the thread that counts; others were left alone
  ProcessPtr current;
  Instant began;
  Instant got_on;  // when it last read something
  std::thread thread;
};

SnapshotWorker::SnapshotWorker(std::function<void()> wake, Duration deadline) : shared_(std::make_shared<Shared>()) {
  shared_->wake = std::move(wake);
  shared_->deadline = deadline;
  start_thread();
}

SnapshotWorker::~SnapshotWorker() {
  constexpr Duration kPatience = std::chrono::seconds(2);
  std::unique_lock lock(shared_->mutex);
  shared_->stopping = true;
  shared_->changed.notify_all();
  const bool idle = shared_->idle.wait_for(lock, kPatience, [&] { return shared_->current == nullptr; });
  lock.unlock();
  if (idle) {
    shared_->thread.join();
  } else {
    shared_->thread.detach();  // hangs in the kernel
  }
}

void SnapshotWorker::start_thread() {
  shared_->thread = std::thread([shared = shared_, generation = shared_->generation] { work(shared, generation); });
}

void SnapshotWorker::request(ProcessPtr process) {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->waiting.push_back(std::move(process));
  }
  shared_->changed.notify_one();
}

void SnapshotWorker::forget(const ProcessPtr& process) {
  const std::lock_guard lock(shared_->mutex);
  shared_->readings.erase(process);
  std::erase(shared_->waiting, process);
}

void SnapshotWorker::check_deadline(Instant now) {
  const std::lock_guard lock(shared_->mutex);
  if (!shared_->current) return;
  const bool hangs = now - shared_->got_on >= shared_->deadline;
  if (!hangs && now - shared_->began < shared_->deadline * kDeadlinesInAll) return;
  shared_->thread.detach();
  ++shared_->generation;
  shared_->hung.insert(shared_->current);
  shared_->done.push_back(
      {.process = shared_->current,
       .snapshot =
           fail(ErrorKind::system,
                "reading the memory of process " + std::to_string(shared_->current->pid) + " takes longer than " +
                    format_duration(hangs ? shared_->deadline : shared_->deadline * kDeadlinesInAll) + ": left alone"),
       .took = now - shared_->began,
       .cpu = {}});
  shared_->current.reset();
  start_thread();
  shared_->wake();
}

std::vector<SnapshotWorker::Done> SnapshotWorker::collect() {
  const std::lock_guard lock(shared_->mutex);
  return std::exchange(shared_->done, {});
}

void SnapshotWorker::work(const std::shared_ptr<Shared>& shared, std::uint64_t generation) {
  constexpr int kLowest = 19;
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kLowest);  // of this thread only, on Linux
  snapshot::SnapshotOptions options;
  options.progress = [&](std::size_t, std::size_t) {
    const std::lock_guard lock(shared->mutex);
    if (shared->generation != generation) return false;
    shared->got_on = MonotonicClock::now();
    return !shared->stopping;
  };
  std::unique_lock lock(shared->mutex);
  while (true) {
    shared->changed.wait(lock, [&] { return shared->stopping || !shared->waiting.empty(); });
    if (shared->stopping) return;
    const ProcessPtr process = std::move(shared->waiting.front());
    shared->waiting.pop_front();
    if (shared->hung.contains(process)) {
      shared->done.push_back({.process = process,
                              .snapshot = fail(ErrorKind::system, "an earlier read of the memory of process " +
                                                                      std::to_string(process->pid) + " still hangs"),
                              .took = {},
                              .cpu = {}});
      shared->wake();
      continue;
    }
    auto reading = std::exchange(shared->readings[process], nullptr);
    shared->current = process;
    shared->began = shared->got_on = MonotonicClock::now();
    const Instant began = shared->began;
    lock.unlock();
    if (!reading) reading = std::make_unique<Reading>(process);
    const Duration cpu = thread_cpu();
    auto snapshot = take(*reading, process->pid, options);
    const Duration helpers = snapshot ? snapshot->helpers_cpu : Duration{};
    Done done{.process = process,
              .snapshot = std::move(snapshot),
              .took = MonotonicClock::now() - began,
              .cpu = thread_cpu() - cpu + helpers};
    lock.lock();
    if (shared->generation != generation) {  // too late: another thread has taken over
      shared->hung.erase(process);
      return;
    }
    shared->current.reset();
    shared->idle.notify_all();
    // Forgotten meanwhile when its place is gone.
    if (const auto place = shared->readings.find(process); place != shared->readings.end()) {
      place->second = std::move(reading);
    }
    shared->done.push_back(std::move(done));
    shared->wake();
  }
}

}  // namespace goleakd::daemon
