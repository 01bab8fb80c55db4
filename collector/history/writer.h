// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "history/keeper.h"
#include "verdict/report.h"

namespace goleakd::history {

// A Keeper on a thread of its own. Whoever publishes reports never waits for a disk.
class Writer {
 public:
  // `warn` is called from that thread.
  Writer(Settings settings, std::function<void(const std::string&)> warn);
  ~Writer();  // writes what was offered last
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Once a second one is taken, the newest then. The others are no loss: each tells all that goleakd holds.
  void offer(verdict::ReportPtr report);
  verdict::HistoryReport status() const;

 private:
  void work(const std::stop_token& stop);

  Keeper keeper_;  // the worker's alone
  mutable std::mutex mutex_;
  std::condition_variable_any offered_;
  verdict::ReportPtr newest_;
  verdict::HistoryReport status_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace goleakd::history
