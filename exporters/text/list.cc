// SPDX-License-Identifier: Apache-2.0
#include "text/list.h"

#include "text/layout.h"

namespace goleakd::text {

std::string list_text(const std::vector<ListRow>& rows) {
  if (rows.empty()) return "no Go processes found\n";
  std::vector<std::vector<std::string>> table{{"PID", "APP", "GO", "GOROUTINES", "WATCH", "EXE", "REASON"}};
  for (const ListRow& row : rows) {
    table.push_back({std::to_string(row.pid), printable(row.app), printable(row.go_version),
                     row.goroutines ? std::to_string(*row.goroutines) : "-", row.watch, printable(row.exe),
                     printable(row.reason)});
  }
  std::string text;
  for (const std::string& line : align(table)) text += line + "\n";
  return text;
}

nlohmann::json list_json(const std::vector<ListRow>& rows) {
  nlohmann::json list = nlohmann::json::array();
  for (const ListRow& row : rows) {
    list.push_back({{"pid", row.pid},
                    {"app", row.app},
                    {"go_version", row.go_version},
                    {"exe", row.exe},
                    {"goroutines", row.goroutines ? nlohmann::json(*row.goroutines) : nlohmann::json()},
                    {"watch", row.watch},
                    {"reason", row.reason}});
  }
  return {{"processes", std::move(list)}};
}

}  // namespace goleakd::text
