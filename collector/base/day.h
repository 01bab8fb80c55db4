// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace goleakd {

// "2027-01-31": nothing for what is no day of the calendar.
std::optional<std::chrono::sys_days> parse_day(const std::string& text);
std::string format_day(std::chrono::sys_days day);
// "2027-01-31 13:05:00 UTC".
std::string format_utc(std::chrono::system_clock::time_point at);

}  // namespace goleakd
