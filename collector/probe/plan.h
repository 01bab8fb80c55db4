// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bpf/wire.h"
#include "probe/points.h"
#include "probe/site.h"
#include "target/go_binary.h"

namespace goleakd::probe {

// One instruction to be probed.
struct Probe {
  goleakd_point point{};
  std::string function;     // that it stands in
  std::string_view callee;  // of a call
  Site site;
  std::uint64_t file_offset = 0;
};

// What became of one row of the table in one binary.
struct PlannedPoint {
  ProbePoint row;
  std::vector<Probe> probes;
  std::string otherwise;  // why not all of them stand at row.place; empty: they do
  std::string refused;    // why there are none; empty: there are
};

// What can be probed in one binary. A group of which one point can't be found is refused as a whole, with the reason,
// but for deaths, of which each tells by itself; parks are never probed without spawns.
struct Plan {
  std::vector<PlannedPoint> points;
  std::array<std::string, kGroups> refused;  // by Group, why; empty: it can be probed

  bool has(Group group) const { return why_not(group).empty(); }
  const std::string& why_not(Group group) const { return refused[static_cast<std::size_t>(group)]; }
  void refuse(Group group, std::string why) { refused[static_cast<std::size_t>(group)] = std::move(why); }
  std::vector<Probe> probes(Group group) const;
};

Plan plan_probes(const target::GoBinary& binary);

}  // namespace goleakd::probe
