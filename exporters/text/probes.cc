// SPDX-License-Identifier: Apache-2.0
#include "text/probes.h"

#include "base/hex.h"
#include "text/layout.h"

namespace goleakd::text {
std::string probes_text(const ProbeTable& table) {
  std::string text = printable(table.binary) + ", " + printable(table.go_version) + "\n\n";
  std::vector<std::vector<std::string>> rows{{"PROBE", "FUNCTION", "ADDRESS", "INSTRUCTION", "KERNEL", ""}};
  for (const ProbeRow& row : table.rows) {
    const std::string note = printable(row.reason);
    if (row.address == 0) {
      rows.push_back({row.probe, printable(row.function), "-", "-", "refused", note});
    } else {
      rows.push_back({row.probe, printable(row.function), hex(row.address), row.instruction, row.cost, note});
    }
  }
  for (const std::string& line : align(rows)) text += line + "\n";
  for (const std::string& refused : table.refused) text += "\nnot probed: " + printable(refused) + "\n";
  return text;
}

nlohmann::json probes_json(const ProbeTable& table) {
  nlohmann::json rows = nlohmann::json::array();
  for (const ProbeRow& row : table.rows) {
    nlohmann::json json{{"probe", row.probe}, {"group", row.group}, {"function", row.function}, {"reason", row.reason}};
    const bool chosen = row.address != 0;
    json["address"] = chosen ? nlohmann::json(hex(row.address)) : nlohmann::json();
    json["instruction"] = chosen ? nlohmann::json(row.instruction) : nlohmann::json();
    json["kernel"] = chosen ? row.cost : "refused";
    rows.push_back(std::move(json));
  }
  return {{"binary", table.binary}, {"go_version", table.go_version}, {"probes", rows}, {"refused", table.refused}};
}

}  // namespace goleakd::text
