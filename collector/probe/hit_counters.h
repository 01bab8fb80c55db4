// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "bpf/failure_wire.h"
#include "bpf/wire.h"

namespace goleakd::probe {

// Everything that is only ever added to; the windows mean nothing in a sum.
void add(goleakd_counters& sum, const goleakd_counters& more);
void add(goleakd_failure_counters& sum, const goleakd_failure_counters& more);

template <typename Counters>
std::vector<Counters> zero_of_each_cpu() {
  return std::vector<Counters>(static_cast<std::size_t>(std::max(libbpf_num_possible_cpus(), 1)));
}

// Of one slot of a map of counters: the sum over all CPUs. Zero when the map cannot be read.
template <typename Counters>
Counters read_counters(const bpf_map* counters, std::uint32_t slot) {
  auto per_cpu = zero_of_each_cpu<Counters>();
  Counters sum{};
  if (bpf_map__lookup_elem(counters, &slot, sizeof(slot), per_cpu.data(), per_cpu.size() * sizeof(Counters), 0) != 0)
    return sum;
  for (const Counters& one : per_cpu) add(sum, one);
  return sum;
}

template <typename Counters>
void clear_counters(const bpf_map* counters, std::uint32_t slot) {
  const auto zero = zero_of_each_cpu<Counters>();
  bpf_map__update_elem(counters, &slot, sizeof(slot), zero.data(), zero.size() * sizeof(Counters), BPF_ANY);
}

}  // namespace goleakd::probe
