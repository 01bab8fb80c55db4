// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "bpf/wire.h"
#include "probe/site.h"
#include "target/go_binary.h"

namespace goleakd::probe {

// One instruction to be probed.
struct Probe {
  goleakd_kind kind{};
  goleakd_point point{};
  std::string function;
  Site site;
  std::uint64_t file_offset = 0;
};

// What can be probed in one binary. Probes come in pairs that are only useful together: spawn with exit, park with
// unpark. A pair of which one point can't be found is refused as a whole, with the reason; parks are never probed
// alone.
struct Plan {
  std::vector<Probe> probes;
  std::string spawn_exit_refused;   // empty: in `probes`
  std::string park_unpark_refused;  // empty: in `probes`

  void drop_park_unpark(std::string why);
  bool has_spawn_exit() const { return spawn_exit_refused.empty(); }
  bool has_park_unpark() const { return park_unpark_refused.empty(); }
};

Plan plan_probes(const target::GoBinary& binary);

}  // namespace goleakd::probe
