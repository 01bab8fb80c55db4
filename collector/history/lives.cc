// SPDX-License-Identifier: Apache-2.0
#include "history/lives.h"

#include <algorithm>
#include <optional>
#include <tuple>

namespace goleakd::history {
namespace {

using verdict::Leak;
using verdict::Report;
using verdict::Stage;
using verdict::TargetReport;

// A leak that comes and goes for ever must not fill the file: older changes go.
constexpr std::int64_t kChangesKept = 100;

std::int64_t number(std::uint64_t count) { return static_cast<std::int64_t>(count); }

int rank(Stage stage) { return stage == Stage::leaking ? 2 : stage == Stage::suspect ? 1 : 0; }

std::string words_of(const Leak& leak) {
  return std::string(verdict::to_string(leak.severity)) + " " + std::string(verdict::to_string(leak.evidence)) + " " +
         std::string(verdict::to_string(leak.cause));
}

Result<void> add_change(Database& database, std::int64_t leak, Seconds at, LifeStage stage, const Leak* words,
                        std::uint64_t count) {
  // What is not told anew is as it was.
  const auto added = words == nullptr
                         ? database.execute(
                               "INSERT INTO leak_change (leak, at, stage, severity, evidence, cause, count) "
                               "SELECT id, ?2, ?3, severity, evidence, cause, ?4 FROM leak WHERE id = ?1",
                               {leak, at, to_string(stage), number(count)})
                         : database.execute(
                               "INSERT INTO leak_change (leak, at, stage, severity, evidence, cause, count) "
                               "VALUES (?, ?, ?, ?, ?, ?, ?)",
                               {leak, at, to_string(stage), verdict::to_string(words->severity),
                                verdict::to_string(words->evidence), verdict::to_string(words->cause), number(count)});
  if (!added) return fail(added.error());
  return database.execute(
      "DELETE FROM leak_change WHERE leak = ?1 AND id <= (SELECT id FROM leak_change WHERE leak = ?1 "
      "ORDER BY id DESC LIMIT 1 OFFSET ?2)",
      {leak, kChangesKept});
}

// Goroutines of the `go` statement in those processes; nothing as long as one of them has not been looked at.
std::optional<std::uint64_t> live_in(const Report& report, const Runs& runs, const std::string& site,
                                     const std::map<std::int64_t, std::uint64_t>& among) {
  std::uint64_t live = 0;
  std::size_t looked_at = 0;
  for (const TargetReport& target : report.targets) {
    const auto run = runs.of(target);
    if (!run || !among.contains(*run) || !target.snapshot_taken || !target.up) continue;
    ++looked_at;
    const auto found = std::ranges::find(target.sites, site, &verdict::SiteReport::id);
    if (found != target.sites.end()) live += found->live;
  }
  return looked_at == among.size() ? std::optional(live) : std::nullopt;
}

}  // namespace

struct Lives::Told {
  Stage stage = Stage::resolved;
  const Leak* worst = nullptr;
  const TargetReport* target = nullptr;  // where that is
  std::uint64_t count = 0;               // in all processes in which it is not resolved
  std::uint64_t bytes = 0;
  Seconds first_seen = 0;
  std::vector<std::pair<std::int64_t, const Leak*>> leaking_in;  // runs

  void add(const Report& report, const TargetReport& where, const Leak& leak, std::optional<std::int64_t> run) {
    const auto severity = [](const Leak& one) { return std::tuple(rank(one.stage), one.severity, one.count); };
    if (worst == nullptr || severity(leak) > severity(*worst)) {
      worst = &leak;
      target = &where;
      stage = leak.stage;
    }
    if (leak.stage == Stage::resolved) return;
    count += leak.count;
    bytes += leak.bytes;
    if (leak.stage != Stage::leaking || !run) return;
    const auto since = static_cast<Seconds>(report.wall.unix_seconds(leak.first_seen));
    first_seen = leaking_in.empty() ? since : std::min(first_seen, since);
    leaking_in.emplace_back(*run, &leak);
  }
};

Result<Lives> Lives::load(Database& database) {
  Lives lives;
  std::map<std::int64_t, Life*> by_row;
  verdict::FirstSeen first_seen;
  const auto leaks = database.each(
      "SELECT leak.id, leak.key, site.key, stage, severity, evidence, cause, first_seen FROM leak "
      "JOIN site ON site.id = leak.site",
      {}, [&](const Row& row) {
        Life& life = lives.lives_[row.text(1)];
        life.row = row.number(0);
        life.site = row.text(2);
        life.stage = life_stage(row.text(3)).value_or(LifeStage::gone);
        life.words = row.text(4) + " " + row.text(5) + " " + row.text(6);
        by_row[life.row] = &life;
        first_seen[row.text(1)] = row.number(7);
        if (life.stage == LifeStage::leaking) ++lives.leaking_sites_[life.site];
      });
  if (!leaks) return fail(leaks.error());
  const auto runs =
      database.each("SELECT leak, run, peak FROM leak_run JOIN run ON run.id = leak_run.run WHERE run.ended IS NULL",
                    {}, [&](const Row& row) {
                      if (by_row.contains(row.number(0))) by_row[row.number(0)]->runs[row.number(1)] = row.count(2);
                    });
  if (!runs) return fail(runs.error());
  lives.first_seen_ = std::make_shared<verdict::FirstSeen>(std::move(first_seen));
  return lives;
}

void Lives::list_first_seen(const std::string& id, Seconds first_seen) {
  auto list = std::make_shared<verdict::FirstSeen>(*first_seen_);
  (*list)[id] = first_seen;
  first_seen_ = std::move(list);
}

Result<void> Lives::begin(Database& database, const std::string& id, const Told& told, std::int64_t site, Seconds now) {
  const Leak& leak = *told.worst;
  const auto row = database.number(
      "INSERT INTO leak (key, site, function, file, line, wait, reason, stage, severity, evidence, cause, reasoning, "
      "ignored, count, peak, bytes, first_seen, last_seen) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, 'leaking', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
      {std::string_view(id), site, std::string_view(leak.blocked.function), std::string_view(leak.blocked.file),
       std::int64_t{leak.blocked.line}, ledger::to_string(leak.blocked.wait), std::string_view(leak.blocked.reason),
       verdict::to_string(leak.severity), verdict::to_string(leak.evidence), verdict::to_string(leak.cause),
       std::string_view(leak.reasoning), std::string_view(leak.ignored), number(told.count), number(told.count),
       number(told.bytes), told.first_seen, now});
  if (!row) return fail(row.error());
  lives_[id] = {.row = *row, .site = leak.site_id, .stage = LifeStage::leaking, .runs = {}, .words = words_of(leak)};
  ++leaking_sites_[leak.site_id];
  list_first_seen(id, told.first_seen);
  return add_change(database, *row, now, LifeStage::leaking, &leak, told.count);
}

// In which processes it is leaking.
Result<void> Lives::note_runs(Database& database, Life& life, const Told& told, Seconds now, bool with_counts) {
  for (const auto& [run, leak] : told.leaking_in) {
    const bool fresh = !life.runs.contains(run);
    std::uint64_t& peak = life.runs[run];
    peak = std::max(peak, leak->peak);
    if (!fresh && !with_counts) continue;
    const auto noted = database.execute(
        "INSERT INTO leak_run VALUES (?1, ?2, ?3, ?3, ?4) ON CONFLICT DO UPDATE SET last_seen = excluded.last_seen, "
        "peak = max(peak, excluded.peak)",
        {life.row, run, now, number(peak)});
    if (!noted) return fail(noted.error());
  }
  return {};
}

Result<void> Lives::follow(Database& database, Life& life, const Told* told, const Report& report, const Runs& runs,
                           Seconds now, bool with_counts) {
  if (told != nullptr) {
    if (auto ok = note_runs(database, life, *told, now, with_counts); !ok) return ok;
  }
  std::erase_if(life.runs, [&](const auto& run) { return !runs.lives(run.first); });
  Sighting seen{.told = told == nullptr ? std::nullopt : std::optional(told->stage),
                .lives = !life.runs.empty(),
                .site_live = {},
                .peak = 0};
  if (told == nullptr && life.stage == LifeStage::leaking) {
    seen.site_live = live_in(report, runs, life.site, life.runs);
    for (const auto& [run, peak] : life.runs) seen.peak += peak;
  }
  const LifeStage before = life.stage;
  life.stage = next_stage(before, seen);
  if (before == LifeStage::leaking && life.stage != before && --leaking_sites_[life.site] == 0) {
    leaking_sites_.erase(life.site);
  }
  if (before != LifeStage::leaking && life.stage == LifeStage::leaking) ++leaking_sites_[life.site];
  if (life.stage != LifeStage::leaking) life.runs.clear();

  const Leak* leak = told != nullptr && told->stage == Stage::leaking ? told->worst : nullptr;
  const bool other_words = leak != nullptr && words_of(*leak) != life.words;
  const std::uint64_t count = told == nullptr ? 0 : told->count;
  if (life.stage != before || other_words) {
    if (leak != nullptr) life.words = words_of(*leak);
    if (auto ok = add_change(database, life.row, now, life.stage, leak, count); !ok) return ok;
  } else if (!with_counts) {
    return {};
  }
  if (leak == nullptr) {
    if (life.stage == before) return {};
    return database.execute("UPDATE leak SET stage = ?, count = ?, bytes = 0 WHERE id = ?",
                            {to_string(life.stage), number(count), life.row});
  }
  return database.execute(
      "UPDATE leak SET stage = 'leaking', file = ?, line = ?, reason = ?, severity = ?, evidence = ?, cause = ?, "
      "reasoning = ?, ignored = ?, count = ?9, peak = max(peak, ?9), bytes = ?, last_seen = ? WHERE id = ?",
      {std::string_view(leak->blocked.file), std::int64_t{leak->blocked.line}, std::string_view(leak->blocked.reason),
       verdict::to_string(leak->severity), verdict::to_string(leak->evidence), verdict::to_string(leak->cause),
       std::string_view(leak->reasoning), std::string_view(leak->ignored), number(count), number(told->bytes), now,
       life.row});
}

Result<void> Lives::see(Database& database, const Report& report, const Runs& runs, Sites& sites, Seconds now,
                        bool with_counts) {
  std::map<std::string, Told> told;
  for (const TargetReport& target : report.targets) {
    if (!target.snapshot_taken) continue;
    for (const Leak& leak : target.leaks) told[leak.id].add(report, target, leak, runs.of(target));
  }
  for (const auto& [id, one] : told) {
    if (lives_.contains(id) || one.leaking_in.empty()) continue;
    const auto service = runs.service(one.target->app);
    if (!service) continue;  // it has a run, and so there is one
    const auto site = sites.row(database, *service, one.worst->site_id, one.worst->creation);
    if (!site) return fail(site.error());
    if (auto ok = begin(database, id, one, *site, now); !ok) return ok;
  }
  for (auto& [id, life] : lives_) {
    const auto one = told.find(id);
    if (auto ok = follow(database, life, one == told.end() ? nullptr : &one->second, report, runs, now, with_counts);
        !ok) {
      return ok;
    }
  }
  return {};
}

}  // namespace goleakd::history
