// SPDX-License-Identifier: Apache-2.0
#include "probe/calibration.h"

#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "base/clock.h"
#include "goroutine.skel.h"
#include "probe/bpf_load.h"
#include "probe/hit_counters.h"
#include "probe/own_code.h"
#include "probe/park_tables.h"

namespace goleakd::probe {
namespace {

// Rounds are short, so that some of them are not interrupted (a tick comes every 1 to 10 ms), and the cheapest counts:
// whatever else goes on only adds to it. The first also pays for what is set up once (the page to step in, the caches).
constexpr unsigned kRounds = 8;
constexpr unsigned kEmulatedCalls = 256;  // 0.1 to 0.2 ms
constexpr unsigned kSteppedCalls = 32;    // 0.3 to 0.5 ms
// Each round is made three times: counted, recorded, and as parks and wakes in turn.
constexpr unsigned kRecords = kRounds * (kEmulatedCalls + kSteppedCalls);
constexpr unsigned kHits = 3 * kRecords;

// Nobody drains it, so it takes all records. The kernel puts 8 bytes before each.
constexpr std::uint32_t kRecordBytes = sizeof(goleakd_event) + 8;
constexpr std::uint32_t kRingBytes = std::bit_ceil(kRecords * kRecordBytes + 1);

struct Destroy {
  void operator()(goroutine_bpf* skeleton) const { goroutine_bpf::destroy(skeleton); }
};
using Skeleton = std::unique_ptr<goroutine_bpf, Destroy>;

struct Nanoseconds {
  double bare = std::numeric_limits<double>::infinity();
  double counted = std::numeric_limits<double>::infinity();
  double recorded = std::numeric_limits<double>::infinity();
  double parked = std::numeric_limits<double>::infinity();
};

struct Subject {
  OwnFunction function;
  unsigned calls;
  Nanoseconds per_call;
};

bpf_program* program_for(const Skeleton& skeleton, Method method) {
  return method == Method::uprobe_multi ? skeleton->progs.calibration_multi : skeleton->progs.calibration_perf;
}

Result<Skeleton> load(Method method) {
  keep_libbpf_warnings();
  Skeleton skeleton(goroutine_bpf::open());
  if (!skeleton) return fail(load_error(errno));
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton->obj) bpf_program__set_autoload(program, false);
  bpf_program__set_autoload(program_for(skeleton, method), true);
  bpf_map__set_max_entries(skeleton->maps.events, kRingBytes);
  bpf_map__set_max_entries(skeleton->maps.counters, 1);
  bpf_map__set_max_entries(skeleton->maps.targets, 1);
  bpf_map__set_max_entries(skeleton->maps.parked_tables, GOLEAKD_PARKED_TABLES);
  bpf_map__set_max_entries(skeleton->maps.site_tables, 1);
  if (const int error = goroutine_bpf::load(skeleton.get()); error != 0) return fail(load_error(-error));
  return skeleton;
}

Result<std::vector<Link>> attach(const Skeleton& skeleton, Method method, std::span<const Subject> subjects) {
  std::vector<ProbePlace> places;
  for (const Subject& subject : subjects) {
    const auto offset = own_file_offset(subject.function.site);
    if (!offset) return fail(ErrorKind::unsupported, "goleakd does not find its own code in its executable");
    goleakd_cookie cookie{};  // slot 0, whose target has no offsets: the goid is the first word of the g
    cookie.point = GOLEAKD_READY;
    places.push_back({.file_offset = *offset, .cookie = cookie});
  }
  return attach_program(program_for(skeleton, method), method, ::getpid(), "/proc/self/exe", places);
}

// By the thread's CPU time: all of a hit is charged to it, and what other threads do meanwhile is not.
void run_round(Subject& subject, double Nanoseconds::*best) {
  const std::uint64_t g = 1;
  const Duration begin = thread_cpu();
  for (unsigned call = 0; call < subject.calls; ++call) subject.function.call(&g);
  const std::chrono::duration<double, std::nano> took = thread_cpu() - begin;
  subject.per_call.*best = std::min(subject.per_call.*best, took.count() / subject.calls);
}

void run_bare(std::span<Subject> subjects) {
  for (unsigned round = 0; round < kRounds; ++round) {
    for (Subject& subject : subjects) run_round(subject, &Nanoseconds::bare);
  }
}

Result<void> run_probed(const Skeleton& skeleton, Method method, std::span<Subject> subjects) {
  const auto tables = ParkTables::make({.goroutines = 1, .creation_sites = 1});
  if (!tables) return fail(tables.error());
  goleakd_target target{};
  const auto& maps = skeleton->maps;
  if (auto ok = tables->install(maps.parked_tables, maps.site_tables, 0, target); !ok) return ok;
  target.long_park_ns = std::numeric_limits<goleakd_u64>::max();
  const std::uint32_t slot = 0;
  bpf_map__update_elem(skeleton->maps.targets, &slot, sizeof(slot), &target, sizeof(target), BPF_ANY);
  const auto links = attach(skeleton, method, subjects);
  if (!links) return fail(links.error());
  volatile std::uint32_t& work = skeleton->bss->goleakd_calibrated;  // the kernel reads it
  for (unsigned round = 0; round < kRounds; ++round) {
    for (Subject& subject : subjects) {
      work = GOLEAKD_CALIBRATE_COUNT;
      run_round(subject, &Nanoseconds::counted);
      work = GOLEAKD_CALIBRATE_RECORD;
      run_round(subject, &Nanoseconds::recorded);
      work = GOLEAKD_CALIBRATE_PARK;
      run_round(subject, &Nanoseconds::parked);
    }
  }
  return {};
}

Result<void> all_hits_told(const Skeleton& skeleton) {
  const auto counters = read_counters<goleakd_counters>(skeleton->maps.counters, 0);
  const std::uint64_t hits = counters.hits[GOLEAKD_UNPARK];
  const std::uint64_t lost = counters.lost_ring + counters.lost_unreadable;
  const std::uint64_t parks = counters.parked + counters.unparked;
  if (hits == kHits && lost == 0 && parks == kRecords) return {};
  return fail(
      ErrorKind::unsupported,
      fmt::format("{} hits of goleakd's own probes were counted, {} records lost and {} parks and wakes told, of "
                  "{} hits, {} records and as many parks and wakes",
                  hits, lost, parks, kHits, kRecords));
}

Result<HitCost> cost_of(const Nanoseconds& emulated, const Nanoseconds& stepped) {
  const HitCost cost{.emulated_counted_ns = emulated.counted - emulated.bare,
                     .emulated_recorded_ns = emulated.recorded - emulated.bare,
                     .emulated_parked_ns = emulated.parked - emulated.bare,
                     .stepped_counted_ns = stepped.counted - stepped.bare,
                     .stepped_recorded_ns = stepped.recorded - stepped.bare,
                     .measured = true};
  for (const double ns : {cost.emulated_counted_ns, cost.emulated_recorded_ns, cost.emulated_parked_ns,
                          cost.stepped_counted_ns, cost.stepped_recorded_ns}) {
    if (!std::isfinite(ns) || ns <= 0) {
      return fail(ErrorKind::unsupported, fmt::format("a hit of goleakd's own probes seems to take {} ns", ns));
    }
  }
  return cost;
}

std::string microseconds(double ns) {
  const double us = ns / 1000;
  return fmt::format("{:.{}f} us", us, us < 1 ? 2 : 1);
}

}  // namespace

Result<HitCost> calibrate(Method method) {
  const auto skeleton = load(method);
  if (!skeleton) return fail(skeleton.error());
  std::array<Subject, 2> subjects{{{.function = kEmulatedFunction, .calls = kEmulatedCalls, .per_call = {}},
                                   {.function = kSteppedFunction, .calls = kSteppedCalls, .per_call = {}}}};
  run_bare(subjects);
  if (auto ok = run_probed(*skeleton, method, subjects); !ok) return fail(ok.error());
  if (auto ok = all_hits_told(*skeleton); !ok) return fail(ok.error());
  return cost_of(subjects[0].per_call, subjects[1].per_call);
}

std::string to_string(const HitCost& cost) {
  return fmt::format("{}, {} with a record, {} for a park or a wake ({} where the instruction is single-stepped)",
                     microseconds(cost.emulated_counted_ns), microseconds(cost.emulated_recorded_ns),
                     microseconds(cost.emulated_parked_ns), microseconds(cost.stepped_counted_ns));
}

}  // namespace goleakd::probe
