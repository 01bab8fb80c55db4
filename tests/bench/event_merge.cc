// SPDX-License-Identifier: Apache-2.0
//
// How fast events are decoded and merged into the ledger, on one core: events of a running Go program are recorded
// through the probes, and replayed into a fresh ledger again and again.
//
//   event-merge PID SECONDS [Google Benchmark's options]
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "daemon/translator.h"
#include "ledger/ledger.h"
#include "probe/plan.h"
#include "probe/prober.h"
#include "target/process.h"

namespace {

using namespace goleakd;

struct Recording {
  std::shared_ptr<const target::GoProcess> process;
  std::vector<goleakd_event> events;
};

// Empties the ring as the daemon does.
Result<std::vector<goleakd_event>> record(const target::GoProcess& process, std::chrono::seconds time) {
  auto prober = probe::Prober::make({.ring_bytes = 64U << 20U, .method = {}});
  if (!prober) return fail(prober.error());
  const probe::Plan plan = probe::plan_probes(*process.binary);
  const auto life = (*prober)->attach(process, plan, probe::Group::spawn_exit, 0);
  if (!life) return fail(life.error());
  // Every wake comes as an event, where the daemon has those of long parks only.
  const auto parks = (*prober)->attach_parks(process, plan, **life, {.goroutines = 100'000, .creation_sites = 1000},
                                             /*long_park=*/Duration(0), 0);
  if (!parks) return fail(parks.error());
  std::vector<goleakd_event> events;
  for (const auto end = std::chrono::steady_clock::now() + time; std::chrono::steady_clock::now() < end;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    (*prober)->drain([&](const goleakd_event& event) { events.push_back(event); });
  }
  return events;
}

void decode_and_merge(benchmark::State& state, const Recording& recording) {
  std::uint64_t live = 0;
  while (state.KeepRunning()) {
    ledger::Ledger ledger;
    daemon::Translator translator(*recording.process, ledger);
    ledger.events_attached(instant_from_ns(0));
    for (const goleakd_event& event : recording.events) ledger.apply(translator.event(event));
    live = ledger.live();
  }
  benchmark::DoNotOptimize(live);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(recording.events.size()));
  state.counters["live"] = static_cast<double>(live);
}

int complain(const Error& error) {
  std::fprintf(stderr, "event-merge: %s\n", error.message().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: event-merge PID SECONDS [OPTIONS OF GOOGLE BENCHMARK]\n", stderr);
    return 2;
  }
  const int pid = std::atoi(argv[1]);
  const std::chrono::seconds time(std::atoi(argv[2]));
  const target::Procfs proc;
  target::BinaryCache binaries;
  auto process = target::GoProcess::open(proc, binaries, pid);
  if (!process) return complain(process.error());
  Recording recording{.process = std::make_shared<const target::GoProcess>(std::move(*process)), .events = {}};
  auto events = record(*recording.process, time);
  if (!events) return complain(events.error());
  recording.events = std::move(*events);
  if (recording.events.empty()) return complain({ErrorKind::invalid, "no event came"});
  std::fprintf(stderr, "%zu events recorded in %lld s\n", recording.events.size(),
               static_cast<long long>(time.count()));

  int rest = argc - 2;
  argv[2] = argv[0];
  benchmark::Initialize(&rest, argv + 2);
  benchmark::RegisterBenchmark("decode and merge", [&](benchmark::State& state) {
    decode_and_merge(state, recording);
  })->Unit(benchmark::kMillisecond);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
