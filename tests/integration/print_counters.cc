// SPDX-License-Identifier: Apache-2.0
//
// print_counters PID [MS]: what goleakd reads of a Go runtime's own counters, as JSON, for a test that knows what is
// right. It reads them again and again for that long (once more without MS), and tells what the reads have cost and
// whether a counter has ever gone back.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "snapshot/process_memory.h"
#include "snapshot/runtime_counters.h"
#include "target/process.h"

namespace {

using goleakd::Duration;
using goleakd::MonotonicClock;
using goleakd::Result;
using goleakd::snapshot::RuntimeCounters;
using Counter = std::optional<std::uint64_t>;

// Counts calls. Each is one of the system as long as it has no more ranges than ProcessMemory hands over at once.
class CountingMemory final : public goleakd::snapshot::Memory {
 public:
  explicit CountingMemory(int pid) : process_(pid) {}

  using Memory::read;
  Result<void> read(std::uint64_t address, std::span<std::uint8_t> into) const override {
    ++calls;
    return process_.read(address, into);
  }
  Result<void> read(std::span<goleakd::snapshot::ReadRequest> requests) const override {
    ++calls;
    return process_.read(requests);
  }

  mutable std::uint64_t calls = 0;

 private:
  goleakd::snapshot::ProcessMemory process_;
};

nlohmann::json json(const Counter& counter) { return counter ? nlohmann::json(*counter) : nlohmann::json(); }
nlohmann::json json(const std::optional<double>& rate) { return rate ? nlohmann::json(*rate) : nlohmann::json(); }
nlohmann::json json(const RuntimeCounters& counters) {
  return {{"spawned", json(counters.spawned)}, {"scheduled", json(counters.scheduled)}};
}

std::uint64_t drop(const Counter& from, const Counter& to) { return from && to && *to < *from ? *from - *to : 0; }

int complain(const std::string& text) {
  std::fprintf(stderr, "print_counters: %s\n", text.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fputs("usage: print_counters PID [MS]\n", stderr);
    return 2;
  }
  const int pid = std::atoi(argv[1]);
  const std::chrono::milliseconds length(argc > 2 ? std::atoi(argv[2]) : 0);
  const goleakd::target::Procfs proc;
  goleakd::target::BinaryCache binaries;
  const auto process = goleakd::target::GoProcess::open(proc, binaries, pid);
  if (!process) return complain(process.error().message());
  const CountingMemory memory(pid);
  const auto first = read_runtime_counters(*process, memory);
  if (!first) return complain(first.error().message());

  RuntimeCounters last = *first;
  std::vector<double> us;
  std::set<std::string> errors;
  std::uint64_t spawned_drop = 0;
  std::uint64_t scheduled_drop = 0;
  memory.calls = 0;
  const auto end = MonotonicClock::now() + length;
  do {
    const auto begin = MonotonicClock::now();
    const auto counters = read_runtime_counters(*process, memory);
    us.push_back(std::chrono::duration<double, std::micro>(MonotonicClock::now() - begin).count());
    if (!counters) {
      errors.insert(counters.error().message());
      continue;
    }
    spawned_drop = std::max(spawned_drop, drop(last.spawned, counters->spawned));
    scheduled_drop = std::max(scheduled_drop, drop(last.scheduled, counters->scheduled));
    last = *counters;
  } while (MonotonicClock::now() < end);

  const auto rates = rates_between(*first, last);
  const auto cpu = proc.cpu_time(pid);
  std::ranges::sort(us);
  const nlohmann::json text{
      {"first", json(*first)},
      {"last", json(last)},
      {"spawns_per_s", json(rates.spawns_per_s)},
      {"switches_per_s", json(rates.switches_per_s)},
      {"cpu_s", cpu ? std::chrono::duration<double>(*cpu).count() : -1},
      {"reads", us.size()},
      {"errors", errors},
      {"spawned_drop", spawned_drop},
      {"scheduled_drop", scheduled_drop},
      {"calls", static_cast<double>(memory.calls) / static_cast<double>(us.size())},
      {"us", us[us.size() / 2]},
  };
  std::puts(text.dump().c_str());
  return 0;
}
