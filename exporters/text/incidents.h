// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "verdict/incident.h"
#include "verdict/report.h"

namespace goleakd::text {

// For the log: "shop (pid 17): died of a panic with a main.bug in main.serve (/srv/shop/main.go:8): cart is nil".
std::string incident_line(const verdict::Incident& incident);

// /api/v1/incidents and /api/v1/panics (docs/json.md).
nlohmann::json incidents_json(const verdict::Report& report);
nlohmann::json panics_json(const verdict::Report& report);

}  // namespace goleakd::text
