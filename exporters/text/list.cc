// SPDX-License-Identifier: Apache-2.0
#include "text/list.h"

#include <algorithm>
#include <array>

#include "text/layout.h"

namespace goleakd::text {

namespace {

struct Column {
  const char* name;
  std::string (*cell)(const ListRow& row);
  bool always;  // also when no row has anything in it
};

constexpr std::array<Column, 9> kColumns{{
    {"PID", [](const ListRow& row) { return std::to_string(row.pid); }, true},
    {"APP", [](const ListRow& row) { return printable(row.app); }, true},
    {"CONTAINER", [](const ListRow& row) { return printable(row.container); }, false},
    {"GO", [](const ListRow& row) { return printable(row.go_version); }, true},
    {"LAYOUT", [](const ListRow& row) { return row.layout == "table" ? std::string() : printable(row.layout); }, false},
    {"GOROUTINES", [](const ListRow& row) { return row.goroutines ? std::to_string(*row.goroutines) : "-"; }, true},
    {"WATCH", [](const ListRow& row) { return row.watch; }, true},
    {"EXE", [](const ListRow& row) { return printable(row.exe); }, true},
    {"REASON", [](const ListRow& row) { return printable(row.reason); }, true},
}};

}  // namespace

std::string list_text(const std::vector<ListRow>& rows) {
  if (rows.empty()) return "no Go processes found\n";
  std::vector<std::vector<std::string>> table(rows.size() + 1);
  for (const Column& column : kColumns) {
    if (!column.always && std::ranges::all_of(rows, [&](const ListRow& row) { return column.cell(row).empty(); })) {
      continue;
    }
    table[0].emplace_back(column.name);
    for (std::size_t i = 0; i < rows.size(); ++i) table[i + 1].push_back(column.cell(rows[i]));
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
                    {"container", row.container},
                    {"go_version", row.go_version},
                    {"layout", row.layout},
                    {"exe", row.exe},
                    {"goroutines", row.goroutines ? nlohmann::json(*row.goroutines) : nlohmann::json()},
                    {"watch", row.watch},
                    {"reason", row.reason}});
  }
  return {{"processes", std::move(list)}};
}

}  // namespace goleakd::text
