// SPDX-License-Identifier: Apache-2.0
#include "history/recorder.h"

#include <utility>

namespace goleakd::history {
namespace {

using verdict::SiteReport;
using verdict::TargetReport;

// Of one process. Those with most goroutines come first.
constexpr std::size_t kSitesSampled = 200;

}  // namespace

Result<Recorder> Recorder::load(Database database, std::string boot, Duration interval) {
  auto runs = Runs::load(database, std::move(boot));
  if (!runs) return fail(runs.error());
  auto lives = Lives::load(database);
  if (!lives) return fail(lives.error());
  return Recorder(std::move(database), *std::move(runs), *std::move(lives), interval);
}

Result<void> Recorder::record(const verdict::Report& report) {
  const auto now = static_cast<Seconds>(report.wall.unix_seconds(report.at));
  const Seconds step = tiers(interval_).front().step;
  const Seconds start = step_begin(now, step);
  const bool due = start != last_sample_;
  taken_ = 0;
  auto transaction = Transaction::begin(database_);
  if (!transaction) return fail(transaction.error());
  if (auto ok = runs_.see(database_, report, interval_, now); !ok) return ok;
  if (auto ok = lives_.see(database_, report, runs_, sites_, now, due); !ok) return ok;
  if (due) {
    if (auto ok = sample(report, start, step); !ok) return ok;
    if (auto ok = runs_.touch(database_, report, now); !ok) return ok;
  }
  if (auto ok = transaction->commit(); !ok) return ok;
  samples_ += taken_;
  if (due) last_sample_ = start;
  return {};
}

Result<void> Recorder::sample(const verdict::Report& report, Seconds start, Seconds step) {
  for (const TargetReport& target : report.targets) {
    const auto run = runs_.of(target);
    if (!run || !target.snapshot_taken || !target.up) continue;
    if (auto ok = sample(target, *run, start, step); !ok) return ok;
  }
  std::erase_if(sampled_, [&](const auto& of_run) { return !runs_.lives(of_run.first); });
  return {};
}

// Most `go` statements of a program have started one goroutine, for life: only those that have had more, and those of
// leaks, are sampled, from then on until the process ends.
Result<void> Recorder::sample(const TargetReport& target, std::int64_t run, Seconds start, Seconds step) {
  Sampled& sampled = sampled_[run];
  const auto service = runs_.service(target.app);
  std::map<std::string, std::uint64_t> live;
  for (const SiteReport& site : target.sites) {
    live[site.id] = site.live;
    if (sampled.sites.contains(site.id) || !service) continue;
    const bool of_leak = lives_.is_of_leak(site.id);
    if (site.live < 2 && !of_leak) continue;
    if (sampled.sites.size() >= kSitesSampled && !of_leak) {
      if (sampled.left_out.insert(site.id).second) ++sites_left_out_;
      continue;
    }
    const auto row = sites_.row(database_, *service, site.id, site.site);
    if (!row) return fail(row.error());
    sampled.sites[site.id] = *row;
  }
  for (const auto& [id, row] : sampled.sites) {
    const auto found = live.find(id);
    const auto count = found == live.end() ? 0 : static_cast<std::int64_t>(found->second);
    const auto added = database_.execute(
        "INSERT INTO sample VALUES (?1, ?2, ?3, ?4, 1, ?5, ?5, ?5) ON CONFLICT DO UPDATE SET looks = looks + 1, "
        "total = total + excluded.total, least = min(least, excluded.least), most = max(most, excluded.most)",
        {step, start, run, row, count});
    if (!added) return fail(added.error());
    ++taken_;
  }
  return {};
}

}  // namespace goleakd::history
