// SPDX-License-Identifier: Apache-2.0
#include "history/writer.h"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <utility>

namespace goleakd::history {
namespace {

constexpr std::chrono::seconds kPause(1);

}  // namespace

Writer::Writer(Settings settings, std::function<void(const std::string&)> warn)
    : keeper_(std::move(settings), std::move(warn)),
      status_(keeper_.status()),
      thread_([this](const std::stop_token& stop) { work(stop); }) {}

Writer::~Writer() {
  thread_.request_stop();
  thread_.join();
}

void Writer::offer(verdict::ReportPtr report) {
  {
    const std::lock_guard lock(mutex_);
    newest_ = std::move(report);
  }
  offered_.notify_one();
}

verdict::HistoryReport Writer::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void Writer::work(const std::stop_token& stop) {
  constexpr int kBelowOthers = 10;
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kBelowOthers);  // of this thread only, on Linux
  std::unique_lock lock(mutex_);
  while (true) {
    offered_.wait(lock, stop, [this] { return newest_ != nullptr; });
    const verdict::ReportPtr report = std::exchange(newest_, nullptr);
    if (report == nullptr) return;
    lock.unlock();
    keeper_.take(*report);
    lock.lock();
    status_ = keeper_.status();
    // Until the pause is over, or it is to stop.
    offered_.wait_for(lock, stop, kPause, [] { return false; });
  }
}

}  // namespace goleakd::history
