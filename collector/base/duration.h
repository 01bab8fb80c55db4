// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace goleakd {

// "300ms", "90s", "5m", "1h", "2d", also joined ("1h30m"). A bare number is refused: its unit would be a guess.
// Negative and overflowing values are refused.
Result<std::chrono::nanoseconds> parse_duration(std::string_view text);

// The two largest units, as people say it: "350ms", "12s", "4m10s", "3h5m", "2d1h".
std::string format_duration(std::chrono::nanoseconds duration);

}  // namespace goleakd
