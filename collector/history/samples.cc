// SPDX-License-Identifier: Apache-2.0
#include "history/samples.h"

#include <vector>

namespace goleakd::history {
namespace {

// Steps that samples have now, finest first. (A SELECT DISTINCT would read them all.)
Result<std::vector<Seconds>> steps(Database& database) {
  std::vector<Seconds> found;
  Seconds before = 0;
  while (true) {
    const auto next = database.number("SELECT min(step) FROM sample WHERE step > ?", {before});
    if (!next) return fail(next.error());
    if (*next == 0) return found;
    found.push_back(before = *next);
  }
}

Result<void> roll(Database& database, Seconds from_step, Seconds step, Seconds begin, Seconds end) {
  auto transaction = Transaction::begin(database);
  if (!transaction) return fail(transaction.error());
  const auto added = database.execute(
      "INSERT INTO sample SELECT ?1, start - start % ?1 AS whole, run, site, sum(looks), sum(total), min(least), "
      "max(most) "
      "FROM sample WHERE step = ?2 AND start >= ?3 AND start < ?4 GROUP BY whole, run, site "
      "ON CONFLICT DO UPDATE SET looks = looks + excluded.looks, total = total + excluded.total, "
      "least = min(least, excluded.least), most = max(most, excluded.most)",
      {step, from_step, begin, end});
  if (!added) return fail(added.error());
  const auto deleted =
      database.execute("DELETE FROM sample WHERE step = ? AND start >= ? AND start < ?", {from_step, begin, end});
  if (!deleted) return fail(deleted.error());
  return transaction->commit();
}

// Deletes about `rows` of the oldest samples of the finest step.
Result<std::int64_t> delete_finest(Database& database, std::int64_t rows) {
  const auto finest = database.number("SELECT min(step) FROM sample");
  if (!finest) return fail(finest.error());
  if (*finest == 0) return 0;
  const auto last = database.number(
      "SELECT max(start) FROM (SELECT start FROM sample WHERE step = ? ORDER BY start LIMIT ?)", {*finest, rows});
  if (!last) return fail(last.error());
  if (auto ok = database.execute("DELETE FROM sample WHERE step = ? AND start <= ?", {*finest, *last}); !ok) {
    return fail(ok.error());
  }
  return database.changes();
}

Result<std::int64_t> delete_runs(Database& database, std::int64_t rows) {
  const auto deleted = database.execute(
      "DELETE FROM run WHERE id IN (SELECT id FROM run WHERE ended IS NOT NULL AND id NOT IN (SELECT run FROM "
      "leak_run) "
      "ORDER BY last_seen LIMIT ?)",
      {rows});
  if (!deleted) return fail(deleted.error());
  return database.changes();
}

Result<std::int64_t> delete_leaks(Database& database, std::int64_t rows) {
  constexpr const char* kOldest = "(SELECT id FROM leak WHERE stage <> 'leaking' ORDER BY last_seen LIMIT ?)";
  for (const char* table : {"leak_change", "leak_run"}) {
    const std::string sql = std::string("DELETE FROM ") + table + " WHERE leak IN " + kOldest;
    if (auto ok = database.execute(sql, {rows}); !ok) return fail(ok.error());
  }
  if (auto ok = database.execute(std::string("DELETE FROM leak WHERE id IN ") + kOldest, {rows}); !ok) {
    return fail(ok.error());
  }
  return database.changes();
}

Result<std::int64_t> pages_in_use(Database& database) {
  const auto all = database.number("PRAGMA page_count");
  if (!all) return fail(all.error());
  const auto free = database.number("PRAGMA freelist_count");
  if (!free) return fail(free.error());
  return *all - *free;
}

struct Kind {
  const char* name;
  Result<std::int64_t> (*remove)(Database&, std::int64_t rows);
  std::int64_t rows;  // at a time
  std::uint64_t Trimmed::*counter;
};

// One portion of the first kind of which there is something left; false when there is nothing.
Result<bool> delete_some(Database& database, Trimmed& trimmed) {
  static constexpr Kind kKinds[] = {{"samples", delete_finest, 5000, &Trimmed::samples},
                                    {"runs", delete_runs, 500, &Trimmed::runs},
                                    {"leaks", delete_leaks, 50, &Trimmed::leaks}};
  auto transaction = Transaction::begin(database);
  if (!transaction) return fail(transaction.error());
  for (const Kind& kind : kKinds) {
    const auto deleted = kind.remove(database, kind.rows);
    if (!deleted) return fail(deleted.error());
    if (*deleted == 0) continue;
    const auto counted =
        database.execute("INSERT INTO lost VALUES (?, ?) ON CONFLICT DO UPDATE SET number = number + excluded.number",
                         {kind.name, *deleted});
    if (!counted) return fail(counted.error());
    if (auto ok = transaction->commit(); !ok) return fail(ok.error());
    trimmed.*kind.counter += static_cast<std::uint64_t>(*deleted);
    return true;
  }
  return false;
}

}  // namespace

Result<bool> roll_up(Database& database, const Tiers& tiers, Seconds now) {
  constexpr Seconds kStepsAtOnce = 12;
  const auto present = steps(database);
  if (!present) return fail(present.error());
  for (std::size_t tier = 1; tier < tiers.size(); ++tier) {
    const Seconds step = tiers.at(tier).step;
    const Seconds horizon = step_begin(now - tiers.at(tier - 1).keep, step);
    for (const Seconds from_step : *present) {
      if (from_step >= step) break;
      const auto oldest = database.number("SELECT min(start) FROM sample WHERE step = ?", {from_step}, horizon);
      if (!oldest) return fail(oldest.error());
      if (*oldest == 0 || *oldest >= horizon) continue;
      const Seconds begin = step_begin(*oldest, step);
      const Seconds end = std::min(horizon, begin + kStepsAtOnce * step);
      if (auto ok = roll(database, from_step, step, begin, end); !ok) return fail(ok.error());
      return true;
    }
  }
  for (const Seconds step : *present) {
    const auto ended =
        database.execute("DELETE FROM sample WHERE step = ? AND start < ?", {step, now - tiers.back().keep});
    if (!ended) return fail(ended.error());
  }
  return false;
}

Result<Trimmed> trim(Database& database, std::int64_t pages) {
  Trimmed trimmed;
  while (true) {
    const auto used = pages_in_use(database);
    if (!used) return fail(used.error());
    if (*used <= pages) return trimmed;
    const auto more = delete_some(database, trimmed);
    if (!more) return fail(more.error());
    if (!*more) return trimmed;
  }
}

}  // namespace goleakd::history
