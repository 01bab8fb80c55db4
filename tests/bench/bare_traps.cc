// SPDX-License-Identifier: Apache-2.0
//
// Lets the kernel trap wherever goleakd would probe a process, and does nothing there but count: the floor of what
// probes can cost in that program. Prints the hits as a line of JSON each 200 ms, until it is killed or the process
// ends.
//
//   bare-traps PID
#include <bpf/libbpf.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include "bpf/wire.h"  // first: the skeleton speaks of its types
#include "goroutine.skel.h"
#include "probe/bpf_load.h"
#include "probe/hit_counters.h"
#include "probe/links.h"
#include "probe/plan.h"
#include "target/process.h"

namespace {

using namespace goleakd;

struct Destroy {
  void operator()(goroutine_bpf* skeleton) const { goroutine_bpf::destroy(skeleton); }
};
using Skeleton = std::unique_ptr<goroutine_bpf, Destroy>;

// What calibrates the price of a hit, told to count and no more.
Result<Skeleton> load() {
  probe::keep_libbpf_warnings();
  Skeleton skeleton(goroutine_bpf::open());
  if (!skeleton) return fail(probe::load_error(errno));
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton->obj) bpf_program__set_autoload(program, false);
  bpf_program__set_autoload(skeleton->progs.calibration_multi, true);
  skeleton->bss->goleakd_calibrated = GOLEAKD_CALIBRATE_COUNT;
  if (const int error = goroutine_bpf::load(skeleton.get()); error != 0) return fail(probe::load_error(-error));
  return skeleton;
}

Result<void> trap(int pid) {
  const target::Procfs proc;
  target::BinaryCache binaries;
  const auto process = target::GoProcess::open(proc, binaries, pid);
  if (!process) return fail(process.error());
  const auto skeleton = load();
  if (!skeleton) return fail(skeleton.error());
  const probe::Plan plan = probe::plan_probes(*process->binary);
  std::vector<probe::ProbePlace> places;
  for (const probe::Group group : probe::kLastingGroups) {
    for (const probe::Probe& probe : plan.probes(group)) {
      places.push_back({.file_offset = probe.file_offset, .cookie = probe::cookie_of(probe, 0)});
    }
  }
  const auto links = probe::attach_program((*skeleton)->progs.calibration_multi, probe::Method::uprobe_multi, pid,
                                           process->binary->elf().own_path(), places);
  if (!links) return fail(links.error());
  while (true) {
    const goleakd_counters counters = probe::read_counters<goleakd_counters>((*skeleton)->maps.counters, 0);
    const auto hits = std::accumulate(std::begin(counters.hits), std::end(counters.hits), std::uint64_t{0});
    if (std::printf("{\"hits\": %llu}\n", static_cast<unsigned long long>(hits)) < 0 || std::fflush(stdout) != 0)
      return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: bare-traps PID\n", stderr);
    return 2;
  }
  const auto done = trap(std::atoi(argv[1]));
  if (!done) std::fprintf(stderr, "bare-traps: %s\n", done.error().message().c_str());
  return done ? 0 : 1;
}
