// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace goleakd::text {

// One instruction that `goleakd check --probes` has chosen, or a probe that it has refused.
struct ProbeRow {
  std::string probe;  // "spawn"
  std::string group;  // "spawn and exit": what it is put in with
  std::string function;
  std::uint64_t address = 0;  // link-time; 0: refused
  std::string instruction;
  std::string cost;    // how the kernel treats it: "emulated"
  std::string reason;  // why refused, or why it does not stand where it would best
};

struct ProbeTable {
  std::string binary;
  std::string go_version;
  std::vector<ProbeRow> rows;
  std::vector<std::string> refused;  // groups as a whole, each with the reason
};

std::string probes_text(const ProbeTable& table);
nlohmann::json probes_json(const ProbeTable& table);

}  // namespace goleakd::text
