// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "ledger/goroutine_dump.h"

namespace goleakd::text {

// The dump in the form of the Go runtime's own traceback (runtime/traceback.go, pprof's debug=2), so that every tool
// that reads those reads this. Arguments are always "(...)"; wait objects have no place in it, dump_json shows them.
std::string dump_text(const ledger::ProcessDump& dump);

}  // namespace goleakd::text
