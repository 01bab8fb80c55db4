// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "bpf/wire.h"

struct bpf_map;

namespace goleakd::probe {

// Everything that is only ever added to; the windows mean nothing in a sum.
void add(goleakd_counters& sum, const goleakd_counters& more);

// Of one slot of the map of counters: the sum over all CPUs. Zero when the map cannot be read.
goleakd_counters read_counters(const bpf_map* counters, std::uint32_t slot);
void clear_counters(const bpf_map* counters, std::uint32_t slot);

}  // namespace goleakd::probe
