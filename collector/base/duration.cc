// SPDX-License-Identifier: Apache-2.0
#include "base/duration.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>

namespace goleakd {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t ns;
};

// Largest first, which is also the order of printing; "ms" stands before "m" for the parser's sake.
constexpr std::array<Unit, 5> kUnits{{{"d", 86'400'000'000'000},
                                      {"h", 3'600'000'000'000},
                                      {"ms", 1'000'000},
                                      {"m", 60'000'000'000},
                                      {"s", 1'000'000'000}}};

const Unit* unit_at(std::string_view text) {
  for (const Unit& unit : kUnits) {
    if (text.starts_with(unit.name)) return &unit;
  }
  return nullptr;
}

}  // namespace

Result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  const auto bad = [&] {
    return fail(ErrorKind::invalid,
                "\"" + std::string(text) + "\" is not a duration; write a number with a unit: 300ms, 90s, 5m, 1h, 2d");
  };
  std::int64_t total = 0;
  std::string_view rest = text;
  if (rest.empty()) return bad();
  while (!rest.empty()) {
    std::int64_t number = 0;
    const auto [end, code] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (code != std::errc() || number < 0) return bad();
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const Unit* unit = unit_at(rest);
    if (unit == nullptr) return bad();
    rest.remove_prefix(unit->name.size());
    if (number > (std::numeric_limits<std::int64_t>::max() - total) / unit->ns) return bad();
    total += number * unit->ns;
  }
  return std::chrono::nanoseconds(total);
}

std::string format_duration(std::chrono::nanoseconds duration) {
  std::int64_t left = duration.count();
  if (left < 0) return "-" + format_duration(-duration);
  if (left < 1'000'000'000) return std::to_string(left / 1'000'000) + "ms";
  constexpr std::array<Unit, 4> kShown{
      {{"d", 86'400'000'000'000}, {"h", 3'600'000'000'000}, {"m", 60'000'000'000}, {"s", 1'000'000'000}}};
  std::string text;
  int parts = 0;
  for (const Unit& unit : kShown) {
    const std::int64_t count = left / unit.ns;
    left %= unit.ns;
    if (count == 0 && parts == 0) continue;
    if (count != 0) text += std::to_string(count) + std::string(unit.name);
    if (++parts == 2) break;
  }
  return text;
}

}  // namespace goleakd
