// SPDX-License-Identifier: Apache-2.0
#include "daemon/snapshot_worker.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
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
#include "daemon/lock_graph.h"
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

// What no bound has foreseen (memory, above all) must not take the other targets along. Reads what is wanted beside it,
// too.
void take(Reading& reading, const snapshot::SnapshotOptions& options, Wanted wanted, SnapshotWorker::Done& done) {
  const target::GoProcess& process = *done.process;
  try {
    done.snapshot = reading.reader.take(options);
    if (!done.snapshot) return;
    if (wanted.locks) {
      done.locks = read_lock_graph(process, reading.memory, *done.snapshot);
      done.snapshot->raw = {};
    }
    if (!wanted.nothing()) {
      done.inspection = inspect(process, reading.memory, target::Procfs(), *done.snapshot, std::move(wanted));
      done.snapshot->picked.clear();
    }
  } catch (const std::exception& e) {
    done.snapshot = fail(ErrorKind::system, "reading process " + std::to_string(process.pid) + ": " + e.what());
  }
}

}  // namespace

struct SnapshotWorker::Shared {
  std::function<void()> wake;
  Duration deadline;
  std::mutex mutex;
  std::condition_variable changed;
  std::condition_variable idle;     // current has been reset
  std::deque<Request> waiting;      // for a snapshot
  std::deque<ProcessPtr> to_count;  // for their counters
  std::vector<Done> done;
  std::vector<Counted> counted;
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

void SnapshotWorker::request(Request request) {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->waiting.push_back(std::move(request));
  }
  shared_->changed.notify_one();
}

void SnapshotWorker::request_counters(ProcessPtr process) {
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->hung.contains(process) || std::ranges::find(shared_->to_count, process) != shared_->to_count.end()) {
      return;
    }
    shared_->to_count.push_back(std::move(process));
  }
  shared_->changed.notify_one();
}

void SnapshotWorker::forget(const ProcessPtr& process) {
  const std::lock_guard lock(shared_->mutex);
  shared_->readings.erase(process);
  std::erase_if(shared_->waiting, [&](const Request& request) { return request.process == process; });
  std::erase(shared_->to_count, process);
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
       .cpu = {},
       .inspection = {},
       .locks = {}});
  shared_->current.reset();
  start_thread();
  shared_->wake();
}

std::vector<SnapshotWorker::Done> SnapshotWorker::collect() {
  const std::lock_guard lock(shared_->mutex);
  return std::exchange(shared_->done, {});
}

std::vector<SnapshotWorker::Counted> SnapshotWorker::collect_counters() {
  const std::lock_guard lock(shared_->mutex);
  return std::exchange(shared_->counted, {});
}

// Whether the thread still counts: reading may have taken so long that another has taken over. `lock` is held before
// and after, not while `read` runs.
template <typename Read>
bool SnapshotWorker::read_unlocked(Shared& shared, std::uint64_t generation, const ProcessPtr& process,
                                   std::unique_lock<std::mutex>& lock, const Read& read) {
  shared.current = process;
  shared.began = shared.got_on = MonotonicClock::now();
  lock.unlock();
  read();
  lock.lock();
  if (shared.generation != generation) {
    shared.hung.erase(process);
    return false;
  }
  shared.current.reset();
  shared.idle.notify_all();
  return true;
}

bool SnapshotWorker::count(Shared& shared, std::uint64_t generation, std::unique_lock<std::mutex>& lock) {
  const ProcessPtr process = std::move(shared.to_count.front());
  shared.to_count.pop_front();
  std::optional<Result<snapshot::RuntimeCounters>> counters;
  const auto read = [&] {
    const snapshot::ProcessMemory memory(process->pid);
    counters = snapshot::read_runtime_counters(*process, memory);
  };
  if (!read_unlocked(shared, generation, process, lock, read)) return false;
  shared.counted.push_back({.process = process, .counters = std::move(*counters)});
  return true;
}

bool SnapshotWorker::take_snapshot(Shared& shared, std::uint64_t generation, std::unique_lock<std::mutex>& lock) {
  Request request = std::move(shared.waiting.front());
  const ProcessPtr& process = request.process;
  shared.waiting.pop_front();
  if (shared.hung.contains(process)) {
    shared.done.push_back({.process = process,
                           .snapshot = fail(ErrorKind::system, "an earlier read of the memory of process " +
                                                                   std::to_string(process->pid) + " still hangs"),
                           .took = {},
                           .cpu = {},
                           .inspection = {},
                           .locks = {}});
    return true;
  }
  snapshot::SnapshotOptions options;
  std::vector<std::uint64_t> picked = request.wanted.goroutines;
  picked.insert(picked.end(), request.wanted.contexts.begin(), request.wanted.contexts.end());
  options.pick = snapshot::GoidSet(std::move(picked));
  options.raw = request.wanted.locks;
  options.progress = [&](std::size_t, std::size_t) {
    const std::lock_guard guard(shared.mutex);
    if (shared.generation != generation) return false;
    shared.got_on = MonotonicClock::now();
    return !shared.stopping;
  };
  auto reading = std::exchange(shared.readings[process], nullptr);
  Done done{.process = process,
            .snapshot = fail(ErrorKind::gone, "not taken"),
            .took = {},
            .cpu = {},
            .inspection = {},
            .locks = {}};
  const auto read = [&] {
    const Instant began = MonotonicClock::now();
    const Duration cpu = thread_cpu();
    if (!reading) reading = std::make_unique<Reading>(process);
    take(*reading, options, std::move(request.wanted), done);
    done.took = MonotonicClock::now() - began;
    done.cpu = thread_cpu() - cpu + (done.snapshot ? done.snapshot->helpers_cpu : Duration{});
  };
  if (!read_unlocked(shared, generation, process, lock, read)) return false;
  // Forgotten meanwhile when its place is gone.
  if (const auto place = shared.readings.find(process); place != shared.readings.end()) {
    place->second = std::move(reading);
  }
  shared.done.push_back(std::move(done));
  return true;
}

void SnapshotWorker::work(const std::shared_ptr<Shared>& shared, std::uint64_t generation) {
  constexpr int kLowest = 19;
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kLowest);  // of this thread only, on Linux
  std::unique_lock lock(shared->mutex);
  while (true) {
    shared->changed.wait(lock,
                         [&] { return shared->stopping || !shared->to_count.empty() || !shared->waiting.empty(); });
    if (shared->stopping) return;
    const bool goes_on =
        shared->to_count.empty() ? take_snapshot(*shared, generation, lock) : count(*shared, generation, lock);
    if (!goes_on) return;
    shared->wake();
  }
}

}  // namespace goleakd::daemon
