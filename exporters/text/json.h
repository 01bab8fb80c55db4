// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "ledger/site.h"
#include "verdict/report.h"

namespace goleakd::text {

// The document as text, indented, with a line end. Names come from programs that others control: bytes that are not
// UTF-8 become U+FFFD. (Plain dump() would throw on them.)
std::string to_text(const nlohmann::json& document);

// What the documents have in common (docs/json.md).

// {"version", "at"}: the head of every document made from a Report.
nlohmann::json document_of(const verdict::Report& report);
// Seconds since the Unix epoch; null for none.
nlohmann::json wall_time(const verdict::Report& report, std::optional<Instant> time);
nlohmann::json to_json(const ledger::Frame& frame);
nlohmann::json frames_json(const std::vector<ledger::Frame>& frames);
nlohmann::json to_json(const ledger::CreationSite& site);
nlohmann::json to_json(const verdict::UnsupportedReport& process);

}  // namespace goleakd::text
