// SPDX-License-Identifier: Apache-2.0
#include "target/layout.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace goleakd::target {
namespace {
#include "layout_table.inc"
}  // namespace

std::string_view Layout::wait_reason(std::uint8_t number) const {
  return number < wait_reasons.size() ? wait_reasons[number] : "unknown wait reason";
}

Result<const Layout*> layout_for(const GoVersion& version) {
  const auto* found = std::ranges::find(kLayouts, version.minor, &Layout::minor);
  if (found == std::end(kLayouts)) {
    return fail(ErrorKind::unsupported,
                version.text + " is not among the Go versions that this goleakd knows (" + supported_versions() + ")");
  }
  return found;
}

std::string supported_versions() {
  std::string text;
  for (const Layout& layout : kLayouts) {
    if (!text.empty()) text += ", ";
    text += "1." + std::to_string(layout.minor);
  }
  return text;
}

}  // namespace goleakd::target
