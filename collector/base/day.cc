// SPDX-License-Identifier: Apache-2.0
#include "base/day.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace goleakd {

std::optional<std::chrono::sys_days> parse_day(const std::string& text) {
  std::tm fields{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%d", &fields);
  if (end == nullptr || *end != '\0') return std::nullopt;
  const std::chrono::year_month_day day(std::chrono::year(fields.tm_year + 1900),
                                        std::chrono::month(static_cast<unsigned>(fields.tm_mon) + 1),
                                        std::chrono::day(static_cast<unsigned>(fields.tm_mday)));
  if (!day.ok()) return std::nullopt;
  return std::chrono::sys_days(day);
}

std::string format_day(std::chrono::sys_days day) {
  const std::chrono::year_month_day date(day);
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text.data();
}

std::string format_utc(std::chrono::system_clock::time_point at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(at - day));
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), " %02d:%02d:%02d UTC", static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()));
  return format_day(day) + text.data();
}

}  // namespace goleakd
