// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "history/view.h"

namespace goleakd::text {

// What a history file tells, read at `now` by a goleakd of that version (docs/json.md).
nlohmann::json history_json(const history::View& view, history::Seconds now, const std::string& version);

}  // namespace goleakd::text
