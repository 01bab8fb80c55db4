// SPDX-License-Identifier: Apache-2.0
#include "probe/hit_counters.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace goleakd::probe {
namespace {

std::vector<goleakd_counters> zero_of_each_cpu() {
  return std::vector<goleakd_counters>(static_cast<std::size_t>(std::max(libbpf_num_possible_cpus(), 1)));
}

}  // namespace

void add(goleakd_counters& sum, const goleakd_counters& more) {
  for (std::size_t kind = 0; kind < GOLEAKD_KINDS; ++kind) sum.hits[kind] += more.hits[kind];
  sum.parked += more.parked;
  sum.unparked += more.unparked;
  sum.unmatched_wakes += more.unmatched_wakes;
  sum.implicit_wakes += more.implicit_wakes;
  sum.lost_ring += more.lost_ring;
  sum.lost_unreadable += more.lost_unreadable;
  sum.lost_storm += more.lost_storm;
  sum.lost_table += more.lost_table;
}

goleakd_counters read_counters(const bpf_map* counters, std::uint32_t slot) {
  std::vector<goleakd_counters> per_cpu = zero_of_each_cpu();
  goleakd_counters sum{};
  if (bpf_map__lookup_elem(counters, &slot, sizeof(slot), per_cpu.data(), per_cpu.size() * sizeof(goleakd_counters),
                           0) != 0) {
    return sum;
  }
  for (const goleakd_counters& one : per_cpu) add(sum, one);
  return sum;
}

void clear_counters(const bpf_map* counters, std::uint32_t slot) {
  const std::vector<goleakd_counters> zero = zero_of_each_cpu();
  bpf_map__update_elem(counters, &slot, sizeof(slot), zero.data(), zero.size() * sizeof(goleakd_counters), BPF_ANY);
}

}  // namespace goleakd::probe
