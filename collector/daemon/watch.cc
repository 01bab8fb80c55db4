// SPDX-License-Identifier: Apache-2.0
#include "daemon/watch.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <numeric>
#include <ranges>
#include <utility>

#include "daemon/pool_channels.h"
#include "probe/hit_counters.h"

namespace goleakd::daemon {
namespace {

// A target that keeps failing is asked less and less often, up to this.
constexpr Duration kMaxBackoff = std::chrono::minutes(5);
// One that has just begun may not have its runtime in place yet: that is no failure.
constexpr Duration kYouth = std::chrono::seconds(10);
constexpr Duration kRetryWhileYoung = std::chrono::milliseconds(500);

// A probe that is to catch somebody stays no longer than this; where the budget does not allow for that, a window of a
// second, in which the breaker bounds what it costs.
constexpr Duration kCatchingTurn = std::chrono::minutes(1);
constexpr Duration kWindow = std::chrono::seconds(1);

// Probes that could not be put in are tried again.
constexpr Duration kRetryAttach = std::chrono::minutes(1);

// The end of one that lasted so long is told at once, others by the next snapshot. No goroutine costs more than ten
// records a second.
constexpr Duration kLongPark = std::chrono::milliseconds(100);

// Tables of parks that have become too small are made anew, and their counts with them, no more often than this.
constexpr Duration kTablesStand = std::chrono::seconds(10);

// Who holds a lock is looked for among so many goroutines at most: it takes twice the memory of a plain look.
constexpr std::size_t kMaxForLocks = 200'000;

std::uint64_t total_hits(const goleakd_counters& counters) {
  return std::accumulate(std::begin(counters.hits), std::end(counters.hits), std::uint64_t{0});
}

// Hits that nobody will ever hear of. Of parks the ring tells only what snapshots tell too.
std::uint64_t total_lost(probe::Group group, const goleakd_counters& counters) {
  const std::uint64_t untold = group == probe::Group::spawn_exit ? counters.lost_ring : counters.lost_table;
  return untold + counters.lost_unreadable + counters.lost_storm;
}

}  // namespace

Watch::Watch(std::shared_ptr<const target::GoProcess> process, const Config& config, probe::Handling handling,
             double hit_seconds)
    : process_(std::move(process)),
      config_(config),
      translator_(*process_, ledger_),
      engine_(process_->service, config.thresholds_of(process_->service)),
      plan_(probe::plan_probes(*process_->binary)),
      governor_(config.budget, handling, hit_seconds),
      failures_(process_),
      spawners_(*process_, probe::Group::spawners),
      wakers_(*process_, probe::Group::wakers),
      touches_(*process_),
      next_snapshot_(MonotonicClock::now()) {}

void Watch::configure(Instant now) {
  engine_.change(config_.thresholds_of(process_->service));
  governor_.change(config_.budget);
  next_snapshot_ = std::min(next_snapshot_, now + snapshot_interval());
  report_outdated_ = true;
}

std::string Watch::unwanted(probe::Group group) const {
  if (config_.mode == WatchMode::snapshots) return "the configuration asks for snapshots only";
  if (!plan_.has(group)) return plan_.why_not(group);
  if (group == probe::Group::park_unpark && !attached(probe::Group::spawn_exit)) return "spawn and exit are not probed";
  if (config_.mode == WatchMode::events || group == probe::Group::deaths) return "";
  return governor_.why_not(group);
}

// Deaths first: they cost nothing until there is one.
void Watch::adjust_failure_probes(probe::FailureProber* prober, const std::string& unavailable, Instant now) {
  const std::uint32_t storm = config_.mode == WatchMode::events ? 0 : governor_.panic_storm_hits();
  for (const probe::Group group : {probe::Group::deaths, probe::Group::panics}) {
    failures_.adjust(prober, unavailable, plan_, group, unwanted(group), storm, now);
  }
}

std::optional<verdict::Incident> Watch::on_failure(const goleakd_failure& record) {
  report_outdated_ = true;
  if (record.head.kind == GOLEAKD_STORM) {
    governor_.storm(probe::Group::panics, instant_from_ns(record.head.time_ns));
    return std::nullopt;
  }
  auto incident = failures_.add(record);
  if (incident) identify(*incident);
  return incident;
}

void Watch::adjust_probes(probe::Prober* prober, const std::string& unavailable, Instant now) {
  for (const probe::Group group : std::views::reverse(probe::kLastingGroups)) {
    const std::string reason = unwanted(group);
    if (reason.empty()) continue;
    if (attached(group)) detach(group, reason);
    probes(group).not_attached = reason;
  }
  if (outgrew_tables(now)) {
    detach(probe::Group::park_unpark, "more goroutines, or go statements, than the tables of parks have room for");
    tables_ = {.goroutines = 2 * tables_.goroutines, .creation_sites = 2 * tables_.creation_sites};
  }
  for (const probe::Group group : probe::kLastingGroups) {
    if (attached(group)) continue;
    if (prober == nullptr) {
      probes(group).not_attached = unavailable;
    } else if (const std::string reason = unwanted(group); reason.empty()) {
      attach(group, *prober, now);
    }
  }
  if (prober != nullptr) adjust_catchers(*prober, now);
}

void Watch::adjust_catchers(probe::Prober& prober, Instant now) {
  const auto turn = [&](probe::Group like, Duration otherwise) {
    if (config_.mode == WatchMode::events || governor_.affords_half_more(like)) return kCatchingTurn;
    return otherwise;
  };
  if (config_.mode == WatchMode::snapshots) return;
  spawners_.adjust(prober, plan_, turn(probe::Group::spawn_exit, Duration(0)), governor_.storm_hits(), now);
  const bool quick = prober.handling() == probe::Handling::quick;
  const Duration window = quick ? kWindow : Duration(0);
  wakers_.adjust(prober, plan_, turn(probe::Group::park_unpark, window), governor_.storm_hits(), now);
  // How often objects are touched nothing tells beforehand, but the last turn does.
  const auto touches = touches_.probe().hit_rate();
  const bool longer = config_.mode == WatchMode::events || (touches && governor_.affords(*touches));
  if (touches_.adjust(prober, plan_, longer ? kCatchingTurn : window, governor_.storm_hits(), now)) {
    objects_.renew();
    next_snapshot_ = now;
  }
}

// Of each suspect: who starts its goroutines, and who wakes others that were started in the same place and wait for the
// same.
void Watch::seek_partners() {
  for (const verdict::Leak& leak : engine_.leaks()) {
    if (leak.stage == verdict::Stage::resolved) continue;
    const auto gopcs = translator_.gopcs_of(ledger_.intern(leak.creation));
    spawners_.want(leak.site_id, gopcs);
    for (const std::uint8_t reason : translator_.wait_reasons(leak.blocked.wait)) wakers_.want(leak.id, gopcs, reason);
  }
}

void Watch::on_caught(const probe::Caught& caught) {
  if (caught.slot == touches_.probe().slot()) {
    touches_.add(caught);
  } else {
    (caught.slot == spawners_.probe().slot() ? spawners_ : wakers_).add(caught);
  }
  report_outdated_ = true;
}

Result<std::unique_ptr<probe::Attachment>> Watch::put_in(probe::Group group, probe::Prober& prober) {
  const std::uint32_t storm = config_.mode == WatchMode::events ? 0 : governor_.storm_hits();
  if (group != probe::Group::park_unpark) return prober.attach(*process_, plan_, group, storm);
  tables_made_ = MonotonicClock::now();
  tables_.goroutines = std::max(tables_.goroutines, ledger_.held());
  tables_.creation_sites = std::max(tables_.creation_sites, ledger_.creations().size());
  return prober.attach_parks(*process_, plan_, *probes(probe::Group::spawn_exit).attachment, tables_, kLongPark, storm);
}

bool Watch::outgrew_tables(Instant now) const {
  const Probes& parks = probes(probe::Group::park_unpark);
  return parks.attachment != nullptr && parks.present.lost_table > 0 && now - tables_made_ >= kTablesStand;
}

void Watch::attach(probe::Group group, probe::Prober& prober, Instant now) {
  Probes& own = probes(group);
  if (own.retry_at && now < *own.retry_at) return;
  auto attachment = put_in(group, prober);
  if (!attachment) {
    own.not_attached = attachment.error().message();
    own.retry_at = now + kRetryAttach;
    spdlog::warn("{} (pid {}): {} are not probed: {}", process_->service, process_->pid, to_string(group),
                 own.not_attached);
    return;
  }
  own.attachment = std::move(*attachment);
  own.not_attached.clear();
  own.retry_at.reset();
  report_outdated_ = true;
  next_snapshot_ = now;  // what lived before the attach
  const Instant complete = MonotonicClock::now();
  if (group == probe::Group::spawn_exit) {
    ledger_.events_attached(complete);
  } else {
    ledger_.parks_attached(complete);
    tell_parks_from_ = previous_begin_ = complete;
  }
  spdlog::info("{} (pid {}, {}): {} are probed, by {}", process_->service, process_->pid,
               process_->binary->build_info().version.text, to_string(group), probe::to_string(prober.method()));
}

void Watch::detach(probe::Group group, const std::string& reason) {
  Probes& own = probes(group);
  own.attachment.reset();
  probe::add(own.past, own.present);
  own.present = {};
  report_outdated_ = true;
  if (group == probe::Group::spawn_exit) {
    ledger_.events_detached();
  } else {
    ledger_.parks_detached();
  }
  spdlog::warn("{} (pid {}): {} are no longer probed: {}", process_->service, process_->pid, to_string(group), reason);
}

std::vector<std::uint16_t> Watch::slots() const {
  std::vector<std::uint16_t> slots;
  for (const Probes& own : probes_) {
    if (own.attachment) slots.push_back(own.attachment->slot());
  }
  for (const CatchingProbe* probe : {&spawners_.probe(), &wakers_.probe(), &touches_.probe()}) {
    if (const auto slot = probe->slot()) slots.push_back(*slot);
  }
  return slots;
}

void Watch::on_event(const goleakd_event& event) {
  if (event.kind == GOLEAKD_CROWDED) return make_room(event.slot);
  if (event.kind != GOLEAKD_STORM) {
    ledger_.apply(translator_.event(event));
    return;
  }
  for (const probe::Group group : probe::kLastingGroups) {
    if (attached(group) && probes(group).attachment->slot() == event.slot) {
      governor_.storm(group, instant_from_ns(event.time_ns));
    }
  }
}

// Before the tables of parks are full, so that no count is lost.
void Watch::make_room(std::uint16_t slot) {
  const auto& parks = probes(probe::Group::park_unpark).attachment;
  if (parks == nullptr || parks->slot() != slot) return;
  const auto grown = parks->grow_parks();
  if (!grown) spdlog::warn("{} (pid {}): {}", process_->service, process_->pid, grown.error().message());
}

goleakd_counters Watch::counters() const {
  goleakd_counters sum{};
  for (const Probes& own : probes_) {
    probe::add(sum, own.past);
    probe::add(sum, own.present);
  }
  return sum;
}

void Watch::count_hits() {
  if (failures_.count()) governor_.storm(probe::Group::panics, MonotonicClock::now());
  for (const probe::Group group : probe::kLastingGroups) {
    Probes& own = probes(group);
    if (!own.attachment) continue;
    own.present = own.attachment->counters();
    // Its record may have found no room.
    if (own.present.lost_storm > 0) governor_.storm(group, MonotonicClock::now());
    const std::uint64_t lost = total_lost(group, own.past) + total_lost(group, own.present);
    if (group == probe::Group::spawn_exit) {
      ledger_.events_lost(lost - own.reported_lost);
    } else {
      ledger_.parks_lost(lost - own.reported_lost);
    }
    own.reported_lost = lost;
  }
}

void Watch::on_counters(const Result<snapshot::RuntimeCounters>& counters, Duration cpu) {
  count_hits();
  const Instant now = MonotonicClock::now();
  probe::Reading reading{.at = now, .cpu = cpu, .counted_at = now, .spawned = {}, .scheduled = {}, .hits = {}};
  if (counters) {
    reading.counted_at = counters->at;
    reading.spawned = counters->spawned;
    reading.scheduled = counters->scheduled;
  }
  for (std::size_t i = 0; i < probe::kLasting; ++i) {
    reading.hits[i] = total_hits(probes_[i].past) + total_hits(probes_[i].present);
  }
  reading.panic_hits = failures_.hits(GOLEAKD_PANIC) + failures_.hits(GOLEAKD_RECOVER);
  governed_ = governor_.read(reading) || governed_;
}

bool Watch::wants_snapshot(Instant now) const { return !snapshot_pending_ && now >= next_snapshot_; }

void Watch::on_snapshot(const Result<snapshot::Snapshot>& snapshot, const verdict::ProcessFacts& facts, Instant now) {
  snapshot_pending_ = false;
  report_outdated_ = true;
  count_hits();
  if (!snapshot) {
    last_error_ = snapshot.error().message();
    if (now - process_->started < kYouth) {
      next_snapshot_ = now + kRetryWhileYoung;
      return;
    }
    ++failures_in_a_row_;
    next_snapshot_ = now + std::min(config_.snapshots.interval * (1 << std::min(failures_in_a_row_, 10)), kMaxBackoff);
    const bool ended = snapshot.error().kind() == ErrorKind::gone;  // discovery says so in a moment
    if (failures_in_a_row_ == 1 && !ended)
      spdlog::warn("{} (pid {}): {}", process_->service, process_->pid, last_error_);
    return;
  }
  failures_in_a_row_ = 0;
  last_error_.clear();
  last_snapshot_ = snapshot->end;
  torn_ += snapshot->implausible + snapshot->moved;
  ledger_.apply(translator_.snapshot(*snapshot));
  tell_parked(snapshot->begin);
  facts_ = facts;
  engine_.observe(ledger_, facts_, now);
  look_at_spinning(*snapshot);
  seek_partners();
  next_snapshot_ = now + snapshot_interval();
}

void Watch::on_locks(verdict::LockGraph graph, Instant now) {
  const std::size_t before = engine_.leaks().size();
  engine_.observe_locks(std::move(graph), ledger_, now);
  if (engine_.leaks().size() > before) next_snapshot_ = std::min(next_snapshot_, now + snapshot_interval());
  report_outdated_ = true;
}

void Watch::look_at_spinning(const snapshot::Snapshot& snapshot) {
  for (const verdict::Leak& leak : engine_.leaks()) {
    if (leak.evidence != verdict::Evidence::spinning) continue;
    if (auto stack = translator_.runnable_stack(snapshot, ledger_.intern(leak.creation)))
      spinning_[leak.id] = std::move(stack);
  }
}

Wanted Watch::wanted(Instant now) {
  verdict::Stalls& stalls = engine_.stalls();
  return {.goroutines = objects_.due(engine_.leaks(), stalls.unclear(Inspection::kMaxGoroutines), now),
          .channels = stalls.channels(),
          .contexts = engine_.cancellations().unclear(ledger_, now, Inspection::kMaxContexts),
          .locks = ledger_.held() <= kMaxForLocks && engine_.wants_locks(now)};
}

void Watch::on_inspection(Inspection inspection) {
  tell_stalls(inspection, engine_.stalls());
  if (!inspection.asked.contexts.empty()) engine_.cancellations().looked(inspection.contexts, inspection.begin);
  if (inspection.asked.goroutines.empty()) return;
  const Instant begin = inspection.begin;
  const Instant end = inspection.end;
  objects_.take(std::move(inspection));
  ObjectTouches::Addresses addresses;
  for (const verdict::Leak& leak : engine_.leaks()) {
    if (leak.stage == verdict::Stage::resolved) continue;
    addresses[leak.id].siblings = translator_.gopcs_of(ledger_.intern(leak.creation));
  }
  for (const auto& [id, seen] : objects_.of(engine_.leaks())) {
    for (const verdict::SeenObject& one : seen) addresses[id].add(process_->binary->layout(), one.object);
  }
  touches_.wait_at(std::move(addresses), begin, end);
  report_outdated_ = true;
}

// Those who have been parked since before the snapshot began were so when it looked at them; unless the look came
// between the probe and the change of status, so each is told twice.
void Watch::tell_parked(Instant before) {
  if (!attached(probe::Group::park_unpark)) return;
  probes(probe::Group::park_unpark).attachment->parks().each_parked([&](const probe::Parked& parked) {
    if (parked.since > before) return;
    if (parked.since > tell_parks_from_ || translator_.is_coroutine(parked)) ledger_.parked(parked.goid, parked.since);
  });
  tell_parks_from_ = std::exchange(previous_begin_, before);
}

bool Watch::has_suspects() const {
  return std::ranges::any_of(engine_.leaks(),
                             [](const verdict::Leak& leak) { return leak.stage == verdict::Stage::suspect; });
}

Duration Watch::snapshot_interval() const {
  const auto& intervals = config_.snapshots;
  return has_suspects() ? std::min(intervals.interval, intervals.interval_with_suspects) : intervals.interval;
}

}  // namespace goleakd::daemon
