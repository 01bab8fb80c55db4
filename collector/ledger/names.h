// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

namespace goleakd::ledger {

// As RunState and AgeBuckets are ordered; part of metrics and JSON.
inline constexpr std::array<std::string_view, 5> kRunStateNames{"runnable", "running", "syscall", "waiting", "other"};
inline constexpr std::array<std::string_view, 5> kAgeNames{"lt1m", "1m_10m", "10m_1h", "1h_24h", "gt24h"};

}  // namespace goleakd::ledger
