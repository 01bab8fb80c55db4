// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace goleakd::history {

// What a parameter of a statement is given: NULL, a number, or a text that outlives the call.
using Value = std::variant<std::monostate, std::int64_t, std::string_view>;

// One row of an answer, valid while it is handed out.
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}
  std::int64_t number(int column) const { return ::sqlite3_column_int64(statement_, column); }
  std::uint64_t count(int column) const { return static_cast<std::uint64_t>(number(column)); }
  double real(int column) const { return ::sqlite3_column_double(statement_, column); }
  std::optional<std::int64_t> number_or_null(int column) const;
  std::string text(int column) const;

 private:
  sqlite3_stmt* statement_;
};

// One connection to a SQLite file. Belongs to one thread at a time. Errors say what was done to which file, and why
// that failed: `invalid` when the file is damaged or no database, `permission` when it may not be opened or written,
// `not_found`, else `system` (no room left, a disk that fails, a lock that somebody holds).
class Database {
 public:
  // Makes the file, for its owner's eyes only, if there is none. WAL; what was committed survives the death of the
  // process at any moment, and the file that of the machine.
  static Result<Database> open_to_write(const std::string& path);
  // Changes nothing, and needs no right to write: neither to the file nor to its folder.
  static Result<Database> open_to_read(const std::string& path);

  // A statement without an answer. Each text is compiled once.
  Result<void> execute(std::string_view sql, std::initializer_list<Value> values = {});
  // Hands out the rows of its answer.
  Result<void> each(std::string_view sql, std::initializer_list<Value> values,
                    const std::function<void(const Row&)>& take);
  // The first column of the first row; `otherwise` when there is none.
  Result<std::int64_t> number(std::string_view sql, std::initializer_list<Value> values = {},
                              std::int64_t otherwise = 0);
  // Several statements in one text.
  Result<void> script(const char* sql);

  // Rows that the last statement has inserted, changed or deleted.
  std::int64_t changes() const { return ::sqlite3_changes64(connection_.get()); }
  const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* connection) const { ::sqlite3_close_v2(connection); }
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { ::sqlite3_finalize(statement); }
  };

  explicit Database(std::string path) : path_(std::move(path)) {}
  Result<void> connect(const std::string& name, int flags);
  Result<sqlite3_stmt*> prepared(std::string_view sql, std::initializer_list<Value> values);
  Error error() const;

  std::string path_;
  std::unique_ptr<sqlite3, Close> connection_;
  std::map<std::string, std::unique_ptr<sqlite3_stmt, Finalize>, std::less<>> statements_;
};

// Everything between begin() and commit() happens, or nothing of it does.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();  // takes everything back that was not committed

  Result<void> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace goleakd::history
