// SPDX-License-Identifier: Apache-2.0
#include "history/view.h"

#include <algorithm>
#include <functional>
#include <tuple>

#include "history/columns.h"

namespace goleakd::history {
namespace {

constexpr std::size_t kColumns = 60;

using ByLeak = std::map<std::int64_t, LifeCycle>;  // by row

Result<ByLeak> leaks(Database& database, std::optional<std::int64_t> service,
                     std::map<std::int64_t, std::vector<std::int64_t>>& by_site) {
  ByLeak found;
  const auto read = database.each(
      "SELECT leak.id, leak.key, site.key, service.name, site.function, site.ordinal, site.file, site.line, "
      "site.entry, "
      "leak.function, leak.file, leak.line, wait, reason, stage, severity, evidence, cause, reasoning, ignored, count, "
      "peak, bytes, leak.first_seen, leak.last_seen, site.id FROM leak JOIN site ON site.id = leak.site "
      "JOIN service ON service.id = site.service WHERE ?1 IS NULL OR service.id = ?1",
      {service ? Value(*service) : Value()}, [&](const Row& row) {
        LifeCycle& leak = found[row.number(0)];
        by_site[row.number(25)].push_back(row.number(0));
        leak.id = row.text(1);
        leak.site_id = row.text(2);
        leak.service = row.text(3);
        leak.creation = {row.text(4), static_cast<std::uint32_t>(row.number(5)), row.text(6),
                         static_cast<int>(row.number(7)), row.text(8)};
        leak.function = row.text(9);
        leak.file = row.text(10);
        leak.line = static_cast<int>(row.number(11));
        leak.wait = row.text(12);
        leak.reason = row.text(13);
        leak.stage = life_stage(row.text(14)).value_or(LifeStage::gone);
        leak.severity = row.text(15);
        leak.evidence = row.text(16);
        leak.cause = row.text(17);
        leak.reasoning = row.text(18);
        leak.ignored = row.text(19);
        leak.count = row.count(20);
        leak.peak = row.count(21);
        leak.bytes = row.count(22);
        leak.first_seen = row.number(23);
        leak.last_seen = row.number(24);
      });
  if (!read) return fail(read.error());
  return found;
}

Result<void> add_changes(Database& database, ByLeak& leaks) {
  return database.each("SELECT leak, at, stage, severity, evidence, cause, count FROM leak_change ORDER BY id", {},
                       [&](const Row& row) {
                         const auto leak = leaks.find(row.number(0));
                         if (leak == leaks.end()) return;
                         leak->second.changes.push_back({.at = row.number(1),
                                                         .stage = life_stage(row.text(2)).value_or(LifeStage::gone),
                                                         .severity = row.text(3),
                                                         .evidence = row.text(4),
                                                         .cause = row.text(5),
                                                         .count = row.count(6)});
                       });
}

// Of all versions of the leak's service, oldest first, those that have it, and the newest before the first of them.
Result<void> add_versions(Database& database, ByLeak& leaks) {
  for (auto& [row, leak] : leaks) {
    const auto read = database.each(
        "SELECT build_id, go_version, module, module_version, version.first_seen, version.last_seen, "
        "sum(run.last_seen - run.first_seen), count(leak_run.run) FROM version "
        "JOIN run ON run.version = version.id LEFT JOIN leak_run ON leak_run.run = run.id AND leak_run.leak = ?1 "
        "WHERE service = (SELECT service FROM site JOIN leak ON leak.site = site.id WHERE leak.id = ?1) "
        "GROUP BY version.id ORDER BY version.first_seen, version.id",
        {row}, [&leak = leak](const Row& one) {
          Version version{.build_id = one.text(0),
                          .go_version = one.text(1),
                          .module = one.text(2),
                          .module_version = one.text(3),
                          .first_seen = one.number(4),
                          .last_seen = one.number(5),
                          .watched = one.number(6)};
          leak.processes += one.count(7);
          if (one.number(7) > 0) {
            leak.versions.push_back(std::move(version));
          } else if (leak.versions.empty()) {
            leak.before = std::move(version);
          }
        });
    if (!read) return fail(read.error());
  }
  return {};
}

// One read of all samples for all leaks: they lie in the order of time.
Result<void> add_counts(Database& database, ByLeak& leaks,
                        const std::map<std::int64_t, std::vector<std::int64_t>>& by_site, Seconds end) {
  const auto finest = database.number("SELECT min(step) FROM sample");
  if (!finest) return fail(finest.error());
  std::map<std::int64_t, Columns> columns;  // by site
  for (const auto& [site, rows] : by_site) {
    Seconds first = end;
    for (const std::int64_t row : rows) first = std::min(first, leaks.at(row).first_seen);
    columns.try_emplace(site, first - (end - first) / 5, end, kColumns, *finest);  // and what was before
  }
  const auto read = database.each("SELECT site, step, start, looks, total, most FROM sample", {}, [&](const Row& row) {
    const auto found = columns.find(row.number(0));
    if (found != columns.end()) {
      found->second.add(row.number(1), row.number(2), row.count(3), row.count(4), row.count(5));
    }
  });
  if (!read) return fail(read.error());
  for (const auto& [site, rows] : by_site) {
    const std::vector<Count> counts = columns.at(site).take();
    for (const std::int64_t row : rows) leaks.at(row).counts = counts;
  }
  return {};
}

int rank(std::string_view severity) { return severity == "page" ? 2 : severity == "ticket" ? 1 : 0; }

// Those that are there first, the worst of them first; others as they ended, the newest first.
auto order(const LifeCycle& leak) {
  const bool there = leak.stage == LifeStage::leaking;
  return std::tuple(there, there ? rank(leak.severity) : 0, there ? leak.count : 0, leak.last_seen, leak.id);
}

Result<std::optional<std::int64_t>> service_of(Database& database, std::optional<int> pid) {
  if (!pid) return std::optional<std::int64_t>();
  const auto service = database.number(
      "SELECT service FROM run JOIN version ON version.id = run.version WHERE pid = ? "
      "ORDER BY ended IS NULL DESC, run.last_seen DESC LIMIT 1",
      {std::int64_t{*pid}});
  if (!service) return fail(service.error());
  if (*service == 0) return fail(ErrorKind::not_found, "history knows no process " + std::to_string(*pid));
  return std::optional(*service);
}

}  // namespace

std::string Version::name() const {
  constexpr std::size_t kShort = 12;
  if (!module_version.empty() && module_version != "(devel)") return module_version;
  if (build_id.empty()) return "of " + go_version;
  return "build " + build_id.substr(0, kShort);
}

Result<View> read_view(Database& database, std::optional<int> pid, Seconds now) {
  // One moment of the file, whoever writes meanwhile.
  if (auto ok = database.execute("BEGIN"); !ok) return fail(ok.error());
  View view{.path = database.path(), .written = {}, .leaks = {}, .slow_leaks = {}, .lost = {}};
  const auto service = service_of(database, pid);
  if (!service) return fail(service.error());
  std::map<std::int64_t, std::vector<std::int64_t>> by_site;
  auto found = leaks(database, *service, by_site);
  if (!found) return fail(found.error());
  if (auto ok = add_changes(database, *found); !ok) return fail(ok.error());
  if (auto ok = add_versions(database, *found); !ok) return fail(ok.error());
  const auto written = database.number("SELECT max(last_seen) FROM service");
  if (!written) return fail(written.error());
  if (*written != 0) view.written = *written;
  if (auto ok = add_counts(database, *found, by_site, std::min(now, std::max(*written, Seconds{1}))); !ok) {
    return fail(ok.error());
  }
  for (auto& [row, leak] : *found) view.leaks.push_back(std::move(leak));
  std::ranges::sort(view.leaks, std::greater{}, order);

  auto slow = slow_leaks(database, {});
  if (!slow) return fail(slow.error());
  std::string name;
  if (*service) {
    const auto named = database.each("SELECT name FROM service WHERE id = ?", {**service},
                                     [&](const Row& row) { name = row.text(0); });
    if (!named) return fail(named.error());
    std::erase_if(*slow, [&](const SlowLeak& leak) { return leak.service != name; });
  }
  view.slow_leaks = *std::move(slow);
  const auto lost = database.each("SELECT what, number FROM lost", {},
                                  [&](const Row& row) { view.lost[row.text(0)] = row.count(1); });
  if (!lost) return fail(lost.error());
  if (auto ok = database.execute("COMMIT"); !ok) return fail(ok.error());
  return view;
}

}  // namespace goleakd::history
