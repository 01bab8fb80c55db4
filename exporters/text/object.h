// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "ledger/goroutine_dump.h"

namespace goleakd::text {

// What a goroutine waits on, in one line: "channel 0xc000012345, length 2, capacity 2". Cases of a select are objects
// of their own.
std::string object_text(const ledger::ObjectDump& object);

// All of it (docs/json.md, wait objects).
nlohmann::json object_json(const ledger::ObjectDump& object);

}  // namespace goleakd::text
