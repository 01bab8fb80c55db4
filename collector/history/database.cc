// SPDX-License-Identifier: Apache-2.0
#include "history/database.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/unique_fd.h"

namespace goleakd::history {
namespace {

// For a reader that is in the way, or a checkpoint.
constexpr int kPatienceMs = 5000;

ErrorKind kind_of(int code, int system_errno) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorKind::invalid;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return ErrorKind::permission;
    case SQLITE_CANTOPEN:
      if (system_errno == ENOENT) return ErrorKind::not_found;
      return system_errno == EACCES || system_errno == EROFS ? ErrorKind::permission : ErrorKind::system;
    default:
      return ErrorKind::system;
  }
}

// "file:…" as sqlite3_open_v2 reads it: these three would end the path.
std::string uri(const std::string& path, const char* parameters) {
  std::string name = "file:";
  for (const char c : path) {
    if (c == '?') {
      name += "%3f";
    } else if (c == '#') {
      name += "%23";
    } else if (c == '%') {
      name += "%25";
    } else {
      name += c;
    }
  }
  return name + "?" + parameters;
}

}  // namespace

std::optional<std::int64_t> Row::number_or_null(int column) const {
  if (::sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return number(column);
}

std::string Row::text(int column) const {
  const unsigned char* text = ::sqlite3_column_text(statement_, column);
  const auto size = static_cast<std::size_t>(::sqlite3_column_bytes(statement_, column));
  return text == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(text), size);
}

Error Database::error() const {
  const int code = ::sqlite3_extended_errcode(connection_.get());
  const int number = ::sqlite3_system_errno(connection_.get());
  std::string message = path_ + ": " + ::sqlite3_errmsg(connection_.get());
  const bool told_by_system = (code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_IOERR;
  if (told_by_system && number != 0) message = Error::from_errno(number, message).message();
  return {kind_of(code, number), std::move(message)};
}

Result<void> Database::connect(const std::string& name, int flags) {
  sqlite3* connection = nullptr;
  const int code =
      ::sqlite3_open_v2(name.c_str(), &connection, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  connection_.reset(connection);  // there is one also when it failed, to tell why
  if (code != SQLITE_OK) return fail(error());
  ::sqlite3_busy_timeout(connection, kPatienceMs);
  return {};
}

Result<Database> Database::open_to_write(const std::string& path) {
  {
    const UniqueFd made(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!made) return fail(Error::from_errno(errno, "opening " + path));
  }
  Database database(path);
  if (auto ok = database.connect(path, SQLITE_OPEN_READWRITE); !ok) return fail(ok.error());
  return database;
}

// Whoever reads a file in WAL mode makes the file of shared memory beside it, unless it is there. Without the right to
// do so, and when no writer has left a log, it is read as a file that nobody changes.
Result<Database> Database::open_to_read(const std::string& path) {
  struct stat there {};
  if (::stat(path.c_str(), &there) != 0) return fail(Error::from_errno(errno, "opening " + path));
  Database database(path);
  if (auto ok = database.connect(uri(path, "mode=ro"), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI); !ok) {
    return fail(ok.error());
  }
  if (const auto readable = database.number("SELECT count(*) FROM sqlite_schema"); readable) return database;
  if (::stat((path + "-wal").c_str(), &there) == 0 && there.st_size > 0) return fail(database.error());
  Database alone(path);
  if (auto ok = alone.connect(uri(path, "mode=ro&immutable=1"), SQLITE_OPEN_READONLY | SQLITE_OPEN_URI); !ok) {
    return fail(ok.error());
  }
  if (const auto readable = alone.number("SELECT count(*) FROM sqlite_schema"); !readable)
    return fail(readable.error());
  return alone;
}

Result<sqlite3_stmt*> Database::prepared(std::string_view sql, std::initializer_list<Value> values) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    sqlite3_stmt* statement = nullptr;
    const int code = ::sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                                          SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return fail(error());
    found = statements_.emplace(std::string(sql), statement).first;
  }
  sqlite3_stmt* statement = found->second.get();
  int index = 0;
  for (const Value& value : values) {
    ++index;
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
      ::sqlite3_bind_int64(statement, index, *number);
    } else if (const auto* text = std::get_if<std::string_view>(&value)) {
      ::sqlite3_bind_text64(statement, index, text->data(), text->size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    } else {
      ::sqlite3_bind_null(statement, index);
    }
  }
  return statement;
}

Result<void> Database::execute(std::string_view sql, std::initializer_list<Value> values) {
  return each(sql, values, [](const Row&) {});
}

Result<void> Database::each(std::string_view sql, std::initializer_list<Value> values,
                            const std::function<void(const Row&)>& take) {
  const auto statement = prepared(sql, values);
  if (!statement) return fail(statement.error());
  int code = SQLITE_ROW;
  while ((code = ::sqlite3_step(*statement)) == SQLITE_ROW) take(Row(*statement));
  std::optional<Error> failure;
  if (code != SQLITE_DONE) failure = error();
  ::sqlite3_reset(*statement);
  if (failure) return fail(*std::move(failure));
  return {};
}

Result<std::int64_t> Database::number(std::string_view sql, std::initializer_list<Value> values,
                                      std::int64_t otherwise) {
  std::optional<std::int64_t> first;
  const auto done = each(sql, values, [&](const Row& row) {
    if (!first) first = row.number(0);
  });
  if (!done) return fail(done.error());
  return first.value_or(otherwise);
}

Result<void> Database::script(const char* sql) {
  if (::sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return fail(error());
  return {};
}

Result<Transaction> Transaction::begin(Database& database) {
  if (auto ok = database.execute("BEGIN IMMEDIATE"); !ok) return fail(ok.error());
  return Transaction(database);
}

Transaction::~Transaction() {
  // Some errors have taken it back already, and then this one is none.
  if (database_ != nullptr) static_cast<void>(database_->execute("ROLLBACK"));
}

Result<void> Transaction::commit() {
  if (auto ok = database_->execute("COMMIT"); !ok) return ok;  // and the destructor takes it back
  database_ = nullptr;
  return {};
}

}  // namespace goleakd::history
