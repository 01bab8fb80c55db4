// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace goleakd::text {

// One Go process of this host, as `goleakd list` shows it.
struct ListRow {
  int pid = 0;
  std::string app;
  std::string go_version;
  std::string exe;
  std::optional<std::uint64_t> goroutines;  // none: could not be counted
  std::string watch;                        // "events", "snapshots" or "no"
  std::string reason;                       // why not better; empty when there is nothing better
  std::string container = {};               // its name; empty outside one
  std::string layout = {};                  // where its runtime's layout is from: "table", "dwarf", "nearest 1.27"
};

// A table in the order given, or one line that says that there are none. Containers and layouts that are not the
// table's have a column where there are any.
std::string list_text(const std::vector<ListRow>& rows);
nlohmann::json list_json(const std::vector<ListRow>& rows);

}  // namespace goleakd::text
