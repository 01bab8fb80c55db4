// SPDX-License-Identifier: Apache-2.0
#include "daemon/discovery_worker.h"

#include <sys/resource.h>
#include <unistd.h>

#include <utility>

namespace goleakd::daemon {

DiscoveryWorker::DiscoveryWorker(target::Procfs proc, Config::Targets targets, std::function<void()> wake)
    : wake_(std::move(wake)),
      discovery_(std::move(proc), std::move(targets),
                 [this](Discovery::Change change) {
                   {
                     const std::lock_guard lock(mutex_);
                     found_.changes.push_back(std::move(change));
                   }
                   wake_();
                 }),
      thread_([this](const std::stop_token& stop) { work(stop); }) {}

void DiscoveryWorker::order(const std::function<void(Orders&)>& change) {
  {
    const std::lock_guard lock(mutex_);
    change(orders_);
  }
  ordered_.notify_one();
}

void DiscoveryWorker::follow(const std::vector<probe::ProcessEvent>& events) {
  if (events.empty()) return;
  order([&](Orders& orders) { orders.events.insert(orders.events.end(), events.begin(), events.end()); });
}

void DiscoveryWorker::select(const Config::Targets& targets) {
  order([&](Orders& orders) { orders.targets = targets; });
}

void DiscoveryWorker::scan() {
  order([](Orders& orders) { orders.scan = true; });
}

void DiscoveryWorker::look_again() {
  order([](Orders& orders) { orders.look_again = true; });
}

DiscoveryWorker::Found DiscoveryWorker::collect() {
  const std::lock_guard lock(mutex_);
  Found found = found_;
  found_.changes.clear();
  return found;
}

void DiscoveryWorker::work(const std::stop_token& stop) {
  constexpr int kBelowOthers = 10;                                           // but before snapshots
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kBelowOthers);  // of this thread only, on Linux
  std::unique_lock lock(mutex_);
  const auto ordered = [this] {
    return !orders_.events.empty() || orders_.targets || orders_.scan || orders_.look_again;
  };
  while (ordered_.wait(lock, stop, ordered)) {
    const Orders orders = std::exchange(orders_, {});
    lock.unlock();
    carry_out(orders, stop);
    lock.lock();
    found_.unsupported = discovery_.unsupported();
    found_.counters = discovery_.counters();
    wake_();
  }
}

void DiscoveryWorker::carry_out(const Orders& orders, const std::stop_token& stop) {
  discovery_.follow(orders.events, stop);
  if (orders.targets) discovery_.select(*orders.targets, stop);
  if (orders.scan) {
    discovery_.scan(stop);
  } else if (orders.look_again) {
    discovery_.look_again(stop);
  }
}

}  // namespace goleakd::daemon
