// SPDX-License-Identifier: Apache-2.0
#include "probe/hit_counters.h"

namespace goleakd::probe {

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

void add(goleakd_failure_counters& sum, const goleakd_failure_counters& more) {
  for (std::size_t kind = 0; kind < GOLEAKD_FAILURE_KINDS; ++kind) sum.hits[kind] += more.hits[kind];
  sum.lost_ring += more.lost_ring;
  sum.lost_storm += more.lost_storm;
}

}  // namespace goleakd::probe
