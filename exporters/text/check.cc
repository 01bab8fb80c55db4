// SPDX-License-Identifier: Apache-2.0
#include "text/check.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "text/layout.h"

namespace goleakd::text {
namespace {

constexpr std::size_t kWidth = 100;

std::string_view to_string(CheckItem::State state) {
  switch (state) {
    case CheckItem::State::good:
      return "good";
    case CheckItem::State::limited:
      return "limited";
    case CheckItem::State::missing:
      return "missing";
  }
  return "missing";
}

std::string table_of(const std::string& title, const std::vector<CheckItem>& items) {
  std::vector<std::vector<std::string>> table;
  table.reserve(items.size());
  for (const CheckItem& item : items) {
    table.push_back({"  " + item.name, std::string(to_string(item.state)), printable(item.found)});
  }
  std::string text = title + "\n";
  for (const std::string& line : align(table)) text += line + "\n";
  return text;
}

// Each once: one thing often helps several.
std::string remedies_of(const CheckReport& report) {
  std::vector<std::string> remedies;
  for (const auto* items : {&report.host, &report.process}) {
    for (const CheckItem& item : *items) {
      if (!item.remedy.empty() && std::ranges::find(remedies, item.remedy) == remedies.end()) {
        remedies.push_back(item.remedy);
      }
    }
  }
  std::string text = remedies.empty() ? "" : "\nwhat would help\n";
  for (const std::string& remedy : remedies) {
    const char* indent = "  - ";
    for (const std::string& line : wrap(printable(remedy), kWidth)) {
      text += indent + line + "\n";
      indent = "    ";
    }
  }
  return text;
}

nlohmann::json to_json(const std::vector<CheckItem>& items) {
  nlohmann::json list = nlohmann::json::array();
  for (const CheckItem& item : items) {
    list.push_back(
        {{"name", item.name}, {"state", to_string(item.state)}, {"found", item.found}, {"remedy", item.remedy}});
  }
  return list;
}

}  // namespace

std::string check_text(const CheckReport& report) {
  std::string text = table_of("this host", report.host);
  if (report.pid) text += "\n" + table_of("process " + std::to_string(*report.pid), report.process);
  return text + remedies_of(report);
}

nlohmann::json check_json(const CheckReport& report) {
  nlohmann::json document = {{"host", to_json(report.host)}, {"process", nlohmann::json()}};
  if (report.pid) document["process"] = {{"pid", *report.pid}, {"items", to_json(report.process)}};
  return document;
}

}  // namespace goleakd::text
