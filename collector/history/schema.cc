// SPDX-License-Identifier: Apache-2.0
#include "history/schema.h"

#include <string>

namespace goleakd::history {
namespace {

constexpr std::int64_t kApplication = 0x676f6c6b;  // "golk"

// Times are seconds since the epoch. `key` is what other parts of goleakd know a thing by: leak_id, site_id. Samples
// lie in the order in which they come and go.
constexpr const char* kTables = R"(
CREATE TABLE service (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL
) STRICT;
CREATE TABLE version (
  id INTEGER PRIMARY KEY,
  service INTEGER NOT NULL REFERENCES service,
  build_id TEXT NOT NULL,
  go_version TEXT NOT NULL,
  module TEXT NOT NULL,
  module_version TEXT NOT NULL,
  first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  UNIQUE (service, build_id, go_version, module_version)
) STRICT;
CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  version INTEGER NOT NULL REFERENCES version,
  boot TEXT NOT NULL,
  pid INTEGER NOT NULL,
  start_ticks INTEGER NOT NULL,
  started INTEGER NOT NULL,
  first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  ended INTEGER,
  UNIQUE (boot, pid, start_ticks, version)
) STRICT;
CREATE TABLE site (
  id INTEGER PRIMARY KEY,
  service INTEGER NOT NULL REFERENCES service,
  key TEXT NOT NULL UNIQUE,
  function TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  file TEXT NOT NULL,
  line INTEGER NOT NULL,
  entry TEXT NOT NULL
) STRICT;
CREATE TABLE sample (
  step INTEGER NOT NULL,
  start INTEGER NOT NULL,
  run INTEGER NOT NULL REFERENCES run,
  site INTEGER NOT NULL REFERENCES site,
  looks INTEGER NOT NULL,
  total INTEGER NOT NULL,
  least INTEGER NOT NULL,
  most INTEGER NOT NULL,
  PRIMARY KEY (step, start, run, site)
) STRICT, WITHOUT ROWID;
CREATE TABLE leak (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  site INTEGER NOT NULL REFERENCES site,
  function TEXT NOT NULL,
  file TEXT NOT NULL,
  line INTEGER NOT NULL,
  wait TEXT NOT NULL,
  reason TEXT NOT NULL,
  stage TEXT NOT NULL,
  severity TEXT NOT NULL,
  evidence TEXT NOT NULL,
  cause TEXT NOT NULL,
  reasoning TEXT NOT NULL,
  ignored TEXT NOT NULL,
  count INTEGER NOT NULL,
  peak INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL
) STRICT;
CREATE TABLE leak_change (
  id INTEGER PRIMARY KEY,
  leak INTEGER NOT NULL REFERENCES leak,
  at INTEGER NOT NULL,
  stage TEXT NOT NULL,
  severity TEXT NOT NULL,
  evidence TEXT NOT NULL,
  cause TEXT NOT NULL,
  count INTEGER NOT NULL
) STRICT;
CREATE INDEX leak_change_by_leak ON leak_change (leak);
CREATE TABLE leak_run (
  leak INTEGER NOT NULL REFERENCES leak,
  run INTEGER NOT NULL REFERENCES run,
  first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  peak INTEGER NOT NULL,
  PRIMARY KEY (leak, run)
) STRICT, WITHOUT ROWID;
CREATE TABLE lost (
  what TEXT PRIMARY KEY,
  number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)";

struct Marks {
  std::int64_t application = 0;
  std::int64_t version = 0;
  std::int64_t tables = 0;
};

Result<Marks> read_marks(Database& database) {
  const auto tables = database.number("SELECT count(*) FROM sqlite_schema");  // first: it says that this is no database
  if (!tables) return fail(tables.error());
  const auto application = database.number("PRAGMA application_id");
  if (!application) return fail(application.error());
  const auto version = database.number("PRAGMA user_version");
  if (!version) return fail(version.error());
  return Marks{.application = *application, .version = *version, .tables = *tables};
}

Result<void> judge(const Database& database, const Marks& marks) {
  if (marks.application != kApplication) {
    return fail(ErrorKind::unsupported, database.path() + " is a database of another program, and left alone");
  }
  if (marks.version != kSchemaVersion) {
    return fail(ErrorKind::unsupported, database.path() + " has schema " + std::to_string(marks.version) +
                                            ", of a newer goleakd, and is left alone; this one knows schema " +
                                            std::to_string(kSchemaVersion));
  }
  return {};
}

}  // namespace

Result<void> prepare_schema(Database& database) {
  const auto marks = read_marks(database);
  if (!marks) return fail(marks.error());
  if (marks->tables > 0 || marks->application != 0) return judge(database, *marks);
  // Both hold only for files that are empty when they are set.
  if (auto ok = database.script("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL"); !ok) return ok;
  auto transaction = Transaction::begin(database);
  if (!transaction) return fail(transaction.error());
  if (auto ok = database.script(kTables); !ok) return ok;
  const std::string mark = "PRAGMA application_id = " + std::to_string(kApplication) +
                           "; PRAGMA user_version = " + std::to_string(kSchemaVersion);
  if (auto ok = database.script(mark.c_str()); !ok) return ok;
  return transaction->commit();
}

Result<void> check_schema(Database& database) {
  const auto marks = read_marks(database);
  if (!marks) return fail(marks.error());
  if (marks->tables == 0) return fail(ErrorKind::invalid, database.path() + " holds nothing yet");
  return judge(database, *marks);
}

}  // namespace goleakd::history
