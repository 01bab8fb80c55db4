// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"
#include "probe/links.h"

namespace goleakd::probe {

// What one hit of a probe costs the application, in nanoseconds of its own CPU time. Counted: the hit is interpreted
// and counted. Recorded: the goroutine's id is read as well, and a record put into the ring, as for every exit of a
// program that is watched. (A spawn reads two words more, some 60 ns each.) Parked: the mean of a park and a wake,
// which the tables take in.
struct HitCost {
  // On an instruction that the kernel emulates: all that plan_probes() chooses.
  double emulated_counted_ns = 0;
  double emulated_recorded_ns = 0;
  double emulated_parked_ns = 0;
  // On any other, which is single-stepped out of line: what a probe at a function's entry would cost.
  double stepped_counted_ns = 0;
  double stepped_recorded_ns = 0;
  // On this host, by calibrate(). Else assumed.
  bool measured = false;

  // What a hit, recorded, is reckoned to cost a program that does something between its hits, and finds its caches
  // filled by others after each: 1.3 to 1.7 times what it costs in a loop, as measured on loops of real programs.
  double in_program_seconds() const { return 1.6 * emulated_recorded_ns / 1e9; }
};

// For a host on which calibrate() fails: on the dear side of what was seen on a virtual machine with Linux 6.18 on
// Zen 5.
inline constexpr HitCost kAssumedHitCost{.emulated_counted_ns = 600,
                                         .emulated_recorded_ns = 700,
                                         .emulated_parked_ns = 700,
                                         .stepped_counted_ns = 13'000,
                                         .stepped_recorded_ns = 13'100,
                                         .measured = false};

// Measures it on this host by probing functions of goleakd itself, in this process alone: at start, or whenever asked.
// `method`: the Prober's. The calling thread pays some 10 ms of CPU time; the probes come off before it returns, which
// takes 30 ms by uprobe_multi, and a quarter of a second by perf_event. Uses libbpf, so call it where the Prober is
// used. Every figure is positive and finite, and every call was seen by the BPF program, or there is an error:
// permission as for Prober::make and attach; unsupported when the kernel's hits make no sense.
Result<HitCost> calibrate(Method method);

// "0.51 us, 0.60 us with a record (9.8 us where the instruction is single-stepped)".
std::string to_string(const HitCost& cost);

}  // namespace goleakd::probe
