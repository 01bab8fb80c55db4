// SPDX-License-Identifier: Apache-2.0
#include "target/layout.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

namespace goleakd::target {
namespace {

// A kind of build of one Go version ("race", "X:arenas") that was measured to change none of these structs.
struct Harmless {
  int minor;
  std::string_view key;
};

#include "layout_table.inc"

constexpr int kOldestMinor = 18;

// What tells this build from a plain one, and may change the structs: all that is not known to be harmless.
std::vector<std::string> differences(const GoVersion& version, bool race, int minor) {
  std::vector<std::string> keys;
  keys.reserve(version.experiments.size() + 1);
  for (const std::string& experiment : version.experiments) keys.push_back("X:" + experiment);
  if (race) keys.emplace_back("race");
  std::erase_if(keys, [&](const std::string& key) {
    return std::ranges::any_of(kHarmless, [&](const Harmless& h) { return h.minor == minor && h.key == key; });
  });
  return keys;
}

const Layout* entry(int minor, std::string_view key) {
  const auto* found =
      std::ranges::find_if(kLayouts, [&](const Layout& layout) { return layout.minor == minor && layout.key == key; });
  return found == std::end(kLayouts) ? nullptr : found;
}

// The number of the known version that is nearest: the table has all from its first to its last.
int nearest_minor(int minor) { return std::clamp(minor, std::begin(kLayouts)->minor, std::rbegin(kLayouts)->minor); }

}  // namespace

std::string_view Layout::wait_reason(std::uint8_t number) const {
  return number < wait_reasons.size() ? wait_reasons[number] : "unknown wait reason";
}

std::string_view to_string(LayoutOrigin origin) {
  switch (origin) {
    case LayoutOrigin::table:
      return "table";
    case LayoutOrigin::dwarf:
      return "dwarf";
    case LayoutOrigin::nearest:
      return "nearest";
  }
  return "unknown";
}

Result<LayoutChoice> layout_for(const GoVersion& version, bool race) {
  if (version.minor < kOldestMinor) {
    return fail(ErrorKind::unsupported, version.text + " is too old: goleakd reads Go 1." +
                                            std::to_string(kOldestMinor) + " and newer (it knows " +
                                            supported_versions() + ")");
  }
  const int minor = nearest_minor(version.minor);
  const auto keys = differences(version, race, minor);
  const Layout* variant = keys.empty() ? entry(minor, "") : nullptr;
  for (const std::string& key : keys) {
    if (variant == nullptr) variant = entry(minor, key);
  }
  // One difference, and it is in the table: exactly this build. Two may change more than each does alone.
  const bool exact =
      variant != nullptr && keys.size() <= 1 && minor == version.minor && !version.development && !version.patched;
  if (variant == nullptr) variant = entry(minor, "");
  return LayoutChoice{.layout = {std::shared_ptr<const Layout>(), variant},  // the table is never freed
                      .origin = exact ? LayoutOrigin::table : LayoutOrigin::nearest};
}

std::string supported_versions() {
  std::string text;
  for (const Layout& layout : kLayouts) {
    if (!layout.key.empty()) continue;
    if (!text.empty()) text += ", ";
    text += "1." + std::to_string(layout.minor);
  }
  return text;
}

}  // namespace goleakd::target
