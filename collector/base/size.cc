// SPDX-License-Identifier: Apache-2.0
#include "base/size.h"

#include <array>
#include <charconv>
#include <limits>
#include <string>
#include <utility>

namespace goleakd {

Result<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, unsigned>, 4> kUnits{
      {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}}};
  const auto wrong = [&] {
    return fail(ErrorKind::invalid, "\"" + std::string(text) + "\" is not a size; write 64KiB, 256MiB or 1GiB");
  };
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc()) return wrong();
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const auto& [name, bits] : kUnits) {
    if (unit != name) continue;
    if (number > (std::uint64_t{std::numeric_limits<std::int64_t>::max()} >> bits)) return wrong();
    return number << bits;
  }
  return wrong();
}

}  // namespace goleakd
