// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include "ledger/goroutine_dump.h"

namespace goleakd::text {

// Everything in the dump, wait objects included (docs/json.md).
nlohmann::json dump_json(const ledger::ProcessDump& dump);

}  // namespace goleakd::text
