// SPDX-License-Identifier: Apache-2.0
#include "target/go_version.h"

#include <algorithm>
#include <charconv>

namespace goleakd::target {
namespace {

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<int> take_number(std::string_view& text) {
  int number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (comma > 0) names.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace

std::optional<GoVersion> GoVersion::parse(std::string_view text) {
  GoVersion version{.text = std::string(text)};
  version.development = take(text, "devel ");
  if (!take(text, "go1.")) return std::nullopt;
  const auto minor = take_number(text);
  if (!minor) return std::nullopt;
  version.minor = *minor;
  if (take(text, ".") && !take_number(text)) version.patched = true;
  for (const std::string_view mark : {"rc", "beta", "-devel"}) {
    version.development = version.development || text.starts_with(mark);
  }
  // The experiments may stand before or behind other marks.
  std::string marks(text);
  for (const std::string_view before : {" X:", "-X:"}) {
    const auto at = marks.find(before);
    if (at == std::string::npos) continue;
    const auto begin = at + before.size();
    const auto end = std::min(marks.find(' ', begin), marks.size());
    version.experiments = split(std::string_view(marks).substr(begin, end - begin));
    marks.erase(at, end - at);
    break;
  }
  version.patched = version.patched || (!version.development && marks.find_first_not_of(' ') != std::string::npos);
  return version;
}

}  // namespace goleakd::target
