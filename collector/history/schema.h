// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "history/database.h"

namespace goleakd::history {

// The tables are described in docs/history.md. A goleakd reads and writes this version, and refuses newer ones.
inline constexpr std::int64_t kSchemaVersion = 1;

// Makes the tables in a file that has none. `invalid` when the file is damaged, `unsupported` when it is another
// program's or a newer goleakd's: those must be left alone.
Result<void> prepare_schema(Database& database);

// The same, of a file that is only read: one without tables is `invalid`.
Result<void> check_schema(Database& database);

}  // namespace goleakd::history
