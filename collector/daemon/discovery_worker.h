// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "daemon/config.h"
#include "daemon/discovery.h"
#include "probe/process_events.h"
#include "target/procfs.h"
#include "verdict/report.h"

namespace goleakd::daemon {

// A Discovery on a thread of its own, which hands back values.
class DiscoveryWorker {
 public:
  struct Found {
    std::vector<Discovery::Change> changes;  // since the last time, in order
    std::vector<verdict::UnsupportedReport> unsupported;
    verdict::DiscoveryReport counters;
  };

  // `wake` is called from the worker whenever something is there to collect.
  DiscoveryWorker(target::Procfs proc, Config::Targets targets, std::function<void()> wake);

  // What is asked for while it is at work is done together, later. Orders that were given before one another are
  // carried out in this order: events, another selection, then a scan or else a second look.
  void follow(const std::vector<probe::ProcessEvent>& events);
  void select(const Config::Targets& targets);
  void scan();
  void look_again();

  Found collect();

 private:
  struct Orders {
    std::vector<probe::ProcessEvent> events;
    std::optional<Config::Targets> targets;
    bool scan = false;
    bool look_again = false;
  };
  void work(const std::stop_token& stop);
  void carry_out(const Orders& orders, const std::stop_token& stop);
  void order(const std::function<void(Orders&)>& change);

  std::function<void()> wake_;
  Discovery discovery_;  // the worker's alone
  std::mutex mutex_;
  std::condition_variable_any ordered_;
  Orders orders_;
  Found found_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace goleakd::daemon
