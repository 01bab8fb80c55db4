// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "verdict/report.h"

namespace goleakd::text {

// Every target with its leaks, suspects and resolved ones included, and every process that could not be watched; or
// only those with the given pid (docs/json.md).
nlohmann::json leaks_json(const verdict::Report& report, std::optional<int> pid = {});

}  // namespace goleakd::text
