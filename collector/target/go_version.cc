// SPDX-License-Identifier: Apache-2.0
#include "target/go_version.h"

#include <charconv>

namespace goleakd::target {

std::optional<GoVersion> GoVersion::parse(std::string_view text) {
  constexpr std::string_view kPrefix = "go1.";
  if (!text.starts_with(kPrefix)) return std::nullopt;
  GoVersion version{.minor = 0, .text = std::string(text)};
  const char* begin = text.data() + kPrefix.size();
  const auto [end, code] = std::from_chars(begin, text.data() + text.size(), version.minor);
  if (code != std::errc() || end == begin || version.minor < 0) return std::nullopt;
  return version;
}

}  // namespace goleakd::target
