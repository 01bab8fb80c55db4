// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "verdict/report.h"

namespace goleakd::text {

// How every process is watched, with its counts and goleakd's own losses (docs/json.md).
nlohmann::json targets_json(const verdict::Report& report);

// Every creation site of every process.
nlohmann::json sites_json(const verdict::Report& report);

}  // namespace goleakd::text
