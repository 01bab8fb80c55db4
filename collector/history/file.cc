// SPDX-License-Identifier: Apache-2.0
#include "history/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "history/schema.h"

namespace goleakd::history {
namespace {

constexpr std::array kSuffixes{"", "-wal", "-shm"};

// The file proper may have this share of it, the rest is for the log. Rows go before it is reached: SQLite then says
// that the disk is full.
constexpr std::uint64_t kEighths = 8;
constexpr std::uint64_t kFileEighths = 7;
constexpr std::uint64_t kUsedEighths = 6;

Result<void> make_folder(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (folder.empty() || ::mkdir(folder.c_str(), 0750) == 0 || errno == EEXIST) return {};
  return fail(Error::from_errno(errno, "making the folder " + folder.string()));
}

// Beside the file, which may be renamed: two daemons must not write one history.
Result<UniqueFd> lock(const std::string& path) {
  const std::string name = path + ".lock";
  UniqueFd fd(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return fail(Error::from_errno(errno, "opening " + name));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno != EWOULDBLOCK) return fail(Error::from_errno(errno, "locking " + name));
  return fail(ErrorKind::system, "another goleakd writes " + path);
}

Result<void> bound(Database& database, std::uint64_t max_bytes) {
  const auto page = database.number("PRAGMA page_size");
  if (!page) return fail(page.error());
  const std::uint64_t pages = max_bytes / static_cast<std::uint64_t>(std::max<std::int64_t>(*page, 512));
  const std::string sql =
      "PRAGMA max_page_count = " + std::to_string(pages * kFileEighths / kEighths) +
      "; PRAGMA wal_autocheckpoint = " + std::to_string(std::clamp<std::uint64_t>(pages / 32, 8, 1000)) +
      "; PRAGMA journal_size_limit = " + std::to_string(max_bytes / kEighths);
  return database.script(sql.c_str());
}

Result<Database> open_sound(const std::string& path, std::uint64_t max_bytes) {
  auto database = Database::open_to_write(path);
  if (!database) return database;
  if (auto ok = prepare_schema(*database); !ok) return fail(ok.error());
  // What is committed survives a kill in any case, and a power cut but for the last moments.
  if (auto ok = database->script("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL"); !ok)
    return fail(ok.error());
  std::string verdict;
  const auto checked = database->each("PRAGMA quick_check(1)", {}, [&](const Row& row) { verdict = row.text(0); });
  if (!checked) return fail(checked.error());
  if (verdict != "ok") return fail(ErrorKind::invalid, path + ": " + verdict);
  if (auto ok = bound(*database, max_bytes); !ok) return fail(ok.error());
  return database;
}

}  // namespace

Result<std::string> set_file_aside(const std::string& path, const std::string& why) {
  const std::string aside = path + ".corrupt";
  for (const char* suffix : kSuffixes) {
    ::unlink((aside + suffix).c_str());
    const std::string from = path + suffix;
    if (::rename(from.c_str(), (aside + suffix).c_str()) != 0 && errno != ENOENT) {
      return fail(Error::from_errno(errno, "renaming the damaged " + from));
    }
  }
  return "history is damaged, set aside as " + aside + ", and begun anew: " + why;
}

Result<Opened> open_file(const std::string& path, std::uint64_t max_bytes) {
  if (auto ok = make_folder(path); !ok) return fail(ok.error());
  auto held = lock(path);
  if (!held) return fail(held.error());
  auto database = open_sound(path, max_bytes);
  std::string set_aside;
  if (!database && database.error().kind() == ErrorKind::invalid) {
    auto done = set_file_aside(path, database.error().message());
    if (!done) return fail(done.error());
    set_aside = *std::move(done);
    database = open_sound(path, max_bytes);
  }
  if (!database) return fail(database.error());
  return Opened{.lock = *std::move(held), .database = *std::move(database), .set_aside = std::move(set_aside)};
}

Result<Database> open_file_to_read(const std::string& path) {
  auto database = Database::open_to_read(path);
  if (!database) return database;
  if (auto ok = check_schema(*database); !ok) return fail(ok.error());
  return database;
}

std::uint64_t file_bytes(const std::string& path) {
  std::uint64_t bytes = 0;
  for (const char* suffix : kSuffixes) {
    struct stat file {};
    if (::stat((path + suffix).c_str(), &file) == 0) bytes += static_cast<std::uint64_t>(file.st_size);
  }
  return bytes;
}

Result<std::int64_t> pages_allowed(Database& database, std::uint64_t max_bytes) {
  const auto page = database.number("PRAGMA page_size");
  if (!page) return fail(page.error());
  return static_cast<std::int64_t>(max_bytes * kUsedEighths / kEighths / static_cast<std::uint64_t>(*page));
}

Result<void> shrink(Database& database, std::uint64_t max_bytes) {
  const auto allowed = pages_allowed(database, max_bytes / kUsedEighths * kFileEighths);
  if (!allowed) return fail(allowed.error());
  const auto all = database.number("PRAGMA page_count");
  if (!all) return fail(all.error());
  return *all <= *allowed ? Result<void>() : database.script("PRAGMA incremental_vacuum");
}

}  // namespace goleakd::history
