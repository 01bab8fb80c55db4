// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>
#include <utility>

#include "history/view.h"

namespace goleakd::history {
namespace {

struct Process {
  Seconds started = 0;
  Seconds first_seen = 0;
  Seconds last_seen = 0;
};

// Those long enough to be judged, of each service the newest: reading the samples of a whole year for nothing would
// take long.
Result<std::map<std::int64_t, Process>> processes(Database& database, const SlowLeakThresholds& thresholds) {
  std::map<std::int64_t, Process> found;
  const auto done = database.each(
      "SELECT id, started, first_seen, last_seen FROM (SELECT run.*, row_number() OVER "
      "(PARTITION BY version.service ORDER BY run.started DESC) AS place FROM run "
      "JOIN version ON version.id = run.version WHERE run.last_seen - run.first_seen >= ?) WHERE place <= ?",
      {thresholds.least_uptime, static_cast<std::int64_t>(thresholds.runs_looked_at)}, [&](const Row& row) {
        found[row.number(0)] = {.started = row.number(1), .first_seen = row.number(2), .last_seen = row.number(3)};
      });
  if (!done) return fail(done.error());
  return found;
}

Result<SlowLeak> describe(Database& database, std::int64_t site, const SlowTrend& trend) {
  SlowLeak leak{.service = {}, .site_id = {}, .creation = {}, .trend = trend, .leaks = {}};
  const auto named = database.each(
      "SELECT service.name, key, function, ordinal, file, line, entry FROM site "
      "JOIN service ON service.id = site.service WHERE site.id = ?",
      {site}, [&](const Row& row) {
        leak.service = row.text(0);
        leak.site_id = row.text(1);
        leak.creation = {row.text(2), static_cast<std::uint32_t>(row.number(3)), row.text(4),
                         static_cast<int>(row.number(5)), row.text(6)};
      });
  if (!named) return fail(named.error());
  const auto known = database.each("SELECT key FROM leak WHERE site = ? ORDER BY first_seen", {site},
                                   [&](const Row& row) { leak.leaks.push_back(row.text(0)); });
  if (!known) return fail(known.error());
  return leak;
}

}  // namespace

Result<std::vector<SlowLeak>> slow_leaks(Database& database, const SlowLeakThresholds& thresholds) {
  const auto processes_found = processes(database, thresholds);
  if (!processes_found) return fail(processes_found.error());
  if (processes_found->empty()) return std::vector<SlowLeak>();
  std::map<std::int64_t, std::map<std::int64_t, RunCounts>> sites;  // by site and run
  const auto read = database.each("SELECT run, site, start, least FROM sample", {}, [&](const Row& row) {
    const auto process = processes_found->find(row.number(0));
    if (process == processes_found->end()) return;
    const Process& p = process->second;
    sites[row.number(1)]
        .try_emplace(row.number(0), p.started, p.first_seen, p.last_seen, thresholds.parts)
        .first->second.add(row.number(2), row.count(3));
  });
  if (!read) return fail(read.error());
  std::vector<SlowLeak> found;
  for (const auto& [site, by_run] : sites) {
    std::vector<std::pair<Seconds, RunCounts>> in_order;
    for (const auto& [run, counts] : by_run) in_order.emplace_back(processes_found->at(run).started, counts);
    std::ranges::sort(in_order, std::greater{}, &std::pair<Seconds, RunCounts>::first);
    std::vector<RunCounts> runs;
    runs.reserve(in_order.size());
    for (auto& [started, counts] : in_order) runs.push_back(std::move(counts));
    const auto trend = slow_trend(runs, thresholds);
    if (!trend) continue;
    auto leak = describe(database, site, *trend);
    if (!leak) return fail(leak.error());
    found.push_back(*std::move(leak));
  }
  std::ranges::stable_sort(found, std::greater{}, [](const SlowLeak& leak) { return leak.trend.per_hour; });
  return found;
}

}  // namespace goleakd::history
