// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "verify/report.h"

namespace goleakd::text {

// Every program that came to its end, with what was left in it (docs/json.md). `exit_code`: goleakd's own.
nlohmann::json verify_json(const verify::Report& report, int exit_code);

}  // namespace goleakd::text
