// SPDX-License-Identifier: Apache-2.0
//
// Takes snapshots of a Go program, one cold and some warm, at the daemon's priority, and prints what each has cost as a
// JSON document.
//
//   snapshot-walk PID WARM PAUSE_MS [no-stacks] [touch]
//
//   touch  before the cold walk, touches and frees as much memory as that may take: what a virtual machine has given
//   back
//          to its host is taken back by then
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>
#include <thread>

#include "base/large_array.h"
#include "snapshot/process_memory.h"
#include "snapshot/reader.h"
#include "target/process.h"

namespace {

using goleakd::Result;
using Clock = std::chrono::steady_clock;

// Counts what goes through it.
class CountingMemory final : public goleakd::snapshot::Memory {
 public:
  explicit CountingMemory(int pid) : process_(pid) {}

  using Memory::read;
  Result<void> read(std::uint64_t address, std::span<std::uint8_t> into) const override {
    bytes += into.size();
    return process_.read(address, into);
  }
  Result<void> read(std::span<goleakd::snapshot::ReadRequest> requests) const override {
    for (const auto& request : requests) bytes += request.into.size();
    return process_.read(requests);
  }

  mutable std::uint64_t bytes = 0;

 private:
  goleakd::snapshot::ProcessMemory process_;
};

double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

double cpu_ms() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto ms = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3;
  };
  return ms(usage.ru_utime) + ms(usage.ru_stime);
}

std::uint64_t peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

double touch_memory() {
  constexpr std::size_t kBytes = 128U << 20U;
  const auto begin = Clock::now();
  auto* const memory = static_cast<std::uint8_t*>(goleakd::map_large(kBytes));
  for (std::size_t at = 0; at < kBytes; at += 4096) static_cast<volatile std::uint8_t*>(memory)[at] = 1;
  goleakd::unmap_large(memory, kBytes);
  return ms_since(begin);
}

int complain(const std::string& text) {
  std::fprintf(stderr, "snapshot-walk: %s\n", text.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  goleakd::snapshot::SnapshotOptions options;
  bool touch = false;
  bool usable = argc >= 4;
  for (int i = 4; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "no-stacks") {
      options.stacks = false;
    } else if (word == "touch") {
      touch = true;
    } else {
      usable = false;
    }
  }
  if (!usable) {
    std::fputs("usage: snapshot-walk PID WARM PAUSE_MS [no-stacks] [touch]\n", stderr);
    return 2;
  }
  const int pid = std::atoi(argv[1]);
  const int warm = std::atoi(argv[2]);
  const std::chrono::milliseconds pause(std::atoi(argv[3]));

  if (::setpriority(PRIO_PROCESS, 0, 19) != 0) return complain("cannot lower its priority");
  const auto begin = Clock::now();
  const goleakd::target::Procfs proc;
  goleakd::target::BinaryCache binaries;
  auto process = goleakd::target::GoProcess::open(proc, binaries, pid);
  if (!process) return complain(process.error().message());
  nlohmann::json result{{"open_ms", ms_since(begin)}, {"walks", nlohmann::json::array()}};

  const CountingMemory memory(pid);
  goleakd::snapshot::Reader reader(std::make_shared<const goleakd::target::GoProcess>(std::move(*process)), memory);
  if (touch) result["touch_ms"] = touch_memory();
  for (int i = 0; i <= warm; ++i) {
    if (i > 0) std::this_thread::sleep_for(pause);
    memory.bytes = 0;
    const double cpu_before = cpu_ms();
    const auto walk_begin = Clock::now();
    const auto snapshot = reader.take(options);
    const double ms = ms_since(walk_begin);
    const double cpu = cpu_ms() - cpu_before;
    if (!snapshot) return complain(snapshot.error().message());
    result["walks"].push_back({{"ms", ms},
                               {"cpu_ms", cpu},
                               {"bytes", memory.bytes},
                               {"goroutines", snapshot->goroutines.size()},
                               {"stacks", snapshot->stacks.size()},
                               {"reused", snapshot->reused},
                               {"moved", snapshot->moved},
                               {"implausible", snapshot->implausible}});
  }
  result["resident_bytes"] = proc.resident_bytes(getpid());
  result["peak_bytes"] = peak_bytes();
  std::puts(result.dump().c_str());
  return 0;
}
