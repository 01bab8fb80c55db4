// SPDX-License-Identifier: Apache-2.0
#include "history/runs.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace goleakd::history {
namespace {

using verdict::Report;
using verdict::TargetReport;

// A goleakd that has just begun finds the processes of the host within this, or they have ended.
constexpr Duration kFound = std::chrono::seconds(30);

bool is_leaking(const TargetReport& target) {
  return std::ranges::any_of(target.leaks,
                             [](const verdict::Leak& leak) { return leak.stage == verdict::Stage::leaking; });
}

}  // namespace

Runs::Process Runs::process_of(const TargetReport& target) {
  return {target.pid, target.start_ticks, target.build_id + " " + target.go_version};
}

Result<Runs> Runs::load(Database& database, std::string boot) {
  Runs runs(std::move(boot));
  const auto ended = database.execute("UPDATE run SET ended = last_seen WHERE ended IS NULL AND boot <> ?",
                                      {std::string_view(runs.boot_)});
  if (!ended) return fail(ended.error());
  const auto loaded = database.each(
      "SELECT run.id, pid, start_ticks, build_id, go_version FROM run JOIN version ON version.id = run.version "
      "WHERE ended IS NULL",
      {}, [&](const Row& row) {
        const Process process{static_cast<int>(row.number(1)), row.count(2), row.text(3) + " " + row.text(4)};
        runs.runs_[process] = {.id = row.number(0), .seen = false};
        runs.living_.insert(row.number(0));
      });
  if (!loaded) return fail(loaded.error());
  return runs;
}

std::optional<std::int64_t> Runs::of(const TargetReport& target) const {
  const auto run = runs_.find(process_of(target));
  return run == runs_.end() ? std::nullopt : std::optional(run->second.id);
}

std::optional<std::int64_t> Runs::service(const std::string& name) const {
  const auto service = services_.find(name);
  return service == services_.end() ? std::nullopt : std::optional(service->second);
}

Result<void> Runs::begin(Database& database, const Report& report, const TargetReport& target, Seconds now) {
  const auto service = database.number(
      "INSERT INTO service (name, first_seen, last_seen) VALUES (?1, ?2, ?2) "
      "ON CONFLICT DO UPDATE SET last_seen = excluded.last_seen RETURNING id",
      {std::string_view(target.app), now});
  if (!service) return fail(service.error());
  services_[target.app] = *service;
  const auto version = database.number(
      "INSERT INTO version (service, build_id, go_version, module, module_version, first_seen, last_seen) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT DO UPDATE SET last_seen = excluded.last_seen RETURNING id",
      {*service, std::string_view(target.build_id), std::string_view(target.go_version),
       std::string_view(target.module), std::string_view(target.module_version), now});
  if (!version) return fail(version.error());
  const auto started = static_cast<Seconds>(report.wall.unix_seconds(target.facts.started));
  const auto run = database.number(
      "INSERT INTO run (version, boot, pid, start_ticks, started, first_seen, last_seen) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT DO UPDATE SET last_seen = excluded.last_seen, ended = NULL "
      "RETURNING id",
      {*version, std::string_view(boot_), std::int64_t{target.pid}, static_cast<std::int64_t>(target.start_ticks),
       started, now});
  if (!run) return fail(run.error());
  runs_[process_of(target)] = {.id = *run, .seen = true};
  living_.insert(*run);
  return {};
}

Result<void> Runs::end(Database& database, const Run& run, Seconds now) {
  living_.erase(run.id);
  if (!run.seen) return database.execute("UPDATE run SET ended = last_seen WHERE id = ?", {run.id});
  return database.execute("UPDATE run SET ended = ?1, last_seen = ?1 WHERE id = ?2", {now, run.id});
}

Result<void> Runs::see(Database& database, const Report& report, Duration least_age, Seconds now) {
  if (!began_) began_ = report.at;
  std::set<Process> present;
  for (const TargetReport& target : report.targets) {
    const Process process = process_of(target);
    present.insert(process);
    const auto known = runs_.find(process);
    if (known != runs_.end() && (known->second.seen || !target.snapshot_taken)) continue;
    const bool old_enough = report.at - target.facts.started >= least_age || known != runs_.end();
    if (!target.snapshot_taken || (!old_enough && !is_leaking(target))) continue;
    if (auto ok = begin(database, report, target, now); !ok) return ok;
  }
  for (auto run = runs_.begin(); run != runs_.end();) {
    const bool waits = !run->second.seen && report.at - *began_ < kFound;
    if (present.contains(run->first) || waits) {
      ++run;
      continue;
    }
    if (auto ok = end(database, run->second, now); !ok) return ok;
    run = runs_.erase(run);
  }
  return {};
}

Result<void> Runs::touch(Database& database, const Report& report, Seconds now) {
  for (const TargetReport& target : report.targets) {
    const auto run = of(target);
    if (!run || !target.snapshot_taken) continue;
    if (auto ok = database.execute("UPDATE run SET last_seen = ? WHERE id = ?", {now, *run}); !ok) return ok;
    const auto version = database.number(
        "UPDATE version SET last_seen = ? WHERE id = (SELECT version FROM run WHERE id = ?) RETURNING service",
        {now, *run});
    if (!version) return fail(version.error());
    if (auto ok = database.execute("UPDATE service SET last_seen = ? WHERE id = ?", {now, *version}); !ok) return ok;
  }
  return {};
}

}  // namespace goleakd::history
