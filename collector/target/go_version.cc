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
  // Development versions and candidates are no release: their structs may be those of neither neighbour.
  const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const std::string_view mark : {"-devel", "devel", "rc", "beta"}) {
    if (rest.starts_with(mark)) return std::nullopt;
  }
  return version;
}

}  // namespace goleakd::target
