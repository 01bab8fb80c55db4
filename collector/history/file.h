// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "history/database.h"

namespace goleakd::history {

// The file of history and those that SQLite keeps beside it.

struct Opened {
  UniqueFd lock;  // one writer: held as long as the database is open
  Database database;
  std::string set_aside;  // a sentence, when a damaged file was; else empty
};

// For writing, with the right tables in it. Makes the file, and its folder in a folder that is there. A damaged file is
// renamed to PATH.corrupt, in place of an older one, and a new one begun. Refused: files of newer goleakds and of other
// programs, and a file that another goleakd writes. Bytes that the file may take, with its log: `max_bytes`.
Result<Opened> open_file(const std::string& path, std::uint64_t max_bytes);

// Renames a damaged file, which must be closed. Gives a sentence.
Result<std::string> set_file_aside(const std::string& path, const std::string& why);

// For reading, without touching anything.
Result<Database> open_file_to_read(const std::string& path);

// Of the file and its log.
std::uint64_t file_bytes(const std::string& path);

// Pages of the file that may be in use before old rows must go.
Result<std::int64_t> pages_allowed(Database& database, std::uint64_t max_bytes);
// Gives free pages back when the file is larger than it may be: it was allowed more before.
Result<void> shrink(Database& database, std::uint64_t max_bytes);

}  // namespace goleakd::history
