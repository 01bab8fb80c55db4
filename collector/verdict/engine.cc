// SPDX-License-Identifier: Apache-2.0
#include "verdict/engine.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <tuple>
#include <utility>

#include "verdict/held_by.h"

namespace goleakd::verdict {
namespace {

// Worst first: page before ticket before info, then leaking before suspect before resolved, then the larger.
bool worse(const Leak& a, const Leak& b) {
  const auto stage = [](const Leak& leak) {
    return leak.stage == Stage::leaking ? 0 : leak.stage == Stage::suspect ? 1 : 2;
  };
  return std::tuple(b.severity, stage(a), b.count, a.id) < std::tuple(a.severity, stage(b), a.count, b.id);
}

// While net/http's server runs a handler, it has a second goroutine read on, for as long as the client is there. Its
// wait says nothing of whether the handler is stuck.
bool waits_beside_handler(const Group& group) {
  return group.place->wait == ledger::WaitClass::io &&
         group.creation->function == "net/http.(*connReader).startBackgroundRead";
}

// Goroutines that have a connection each, as far as the network waits tell.
bool waits_for_connection(const Group& group) {
  return group.place->wait == ledger::WaitClass::io && !waits_beside_handler(group);
}

// Goroutines that have a connection each. Of a site most of whose goroutines wait for the network those that are awake
// have one as well: where processors are scarce, many are at any moment.
std::uint64_t connections(const std::map<std::string, Group>& groups, const std::map<std::string, SiteView>& sites) {
  std::map<std::string, std::uint64_t> by_site;
  for (const auto& [id, group] : groups) {
    if (waits_for_connection(group)) by_site[group.site_id] += group.count;
  }
  std::uint64_t all = 0;
  for (const auto& [id, waiting] : by_site) {
    const auto site = sites.find(id);
    const bool most = site != sites.end() && 2 * waiting >= site->second.live - site->second.awake;
    all += waiting + (most ? site->second.awake : 0);
  }
  return all;
}

// The fullest group of each site, by site id.
std::map<std::string, const Group*> fullest_of(const std::map<std::string, Group>& groups) {
  std::map<std::string, const Group*> fullest;
  for (const auto& [id, group] : groups) {
    const Group*& known = fullest[group.site_id];
    if (known == nullptr || group.count > known->count) known = &group;
  }
  return fullest;
}

}  // namespace

Engine::Engine(std::string service, Thresholds thresholds)
    : service_(std::move(service)),
      thresholds_(thresholds),
      stuck_(thresholds),
      live_(thresholds),
      stalls_(thresholds.stuck_after),
      cancellations_(thresholds.cancelled_after),
      deadlocks_(service_, thresholds) {}

void Engine::change(const Thresholds& thresholds) {
  thresholds_ = thresholds;
  stuck_.change(thresholds);
  live_.change(thresholds);
  deadlocks_.change(thresholds);
  stalls_.change(thresholds.stuck_after);
  cancellations_.change(thresholds.cancelled_after);
}

void Engine::observe(const ledger::Ledger& ledger, const ProcessFacts& process, Instant now) {
  const Duration interval = thresholds_.interval();
  if (!began_) began_ = now;
  stalls_.observe(ledger, now);
  cancellations_.observe(ledger);
  Groups groups = groups_of(service_, ledger, cutoffs(now));
  for (auto& [id, cancelled] : cancellations_.by_leak(service_, ledger, now)) {
    if (const auto group = groups.find(id); group != groups.end()) group->second.cancelled = std::move(cancelled);
  }
  lock_awaited_since_ = lock_awaited_since(groups);
  const Sites sites = this->sites(ledger);
  // Snapshots do not come to the nanosecond: one that is a little early must not cost a whole snapshot interval.
  if (!evaluated_ || now - *evaluated_ >= interval - interval / 20) {
    remember(groups, sites, ledger, now);
    evaluate(groups, sites, process, now);
  } else {
    const Groups of_sites = whole_sites(sites);
    for (auto& [id, finding] : findings_) {
      const Groups& among = speaks_of_site(finding.leak().evidence) ? of_sites : groups;
      const auto group = among.find(id);
      finding.refresh(group == among.end() ? nullptr : &group->second);
    }
  }
  gather(ledger);
}

void Engine::observe_locks(LockGraph graph, const ledger::Ledger& ledger, Instant now) {
  deadlocks_.look(graph, ledger, now);
  locks_ = std::move(graph);
  gather(ledger);
}

void Engine::gather(const ledger::Ledger& ledger) {
  leaks_.clear();
  for (const auto& [id, finding] : findings_) {
    Leak& leak = leaks_.emplace_back(finding.leak());
    if (locks_) leak.held_by = held_by(*locks_, ledger, leak.goroutines);
    if (leak.held_by) leak.cause = cause_by_holders(*leak.held_by, leak.cause);
  }
  std::ranges::copy(deadlocks_.leaks(), std::back_inserter(leaks_));
  std::sort(leaks_.begin(), leaks_.end(), worse);
}

Cutoffs Engine::cutoffs(Instant now) const {
  Cutoffs cutoffs{.at_scale = {}, .stalled = now - thresholds_.stuck_after, .stale = now - thresholds_.stale_after};
  for (const Scale scale : {Scale::quick, Scale::slow}) {
    const Moment* before = stuck_.interval_ago(scale);
    const Duration interval = stuck_.interval(scale);
    cutoffs.at_scale[static_cast<std::size_t>(scale)] = {.aged = now - interval,
                                                         .survived = (before == nullptr ? now : before->at) - interval};
  }
  return cutoffs;
}

Engine::Sites Engine::sites(const ledger::Ledger& ledger) const {
  std::array<ledger::Goid, kScales> born{};
  for (const Scale scale : {Scale::quick, Scale::slow}) {
    const Moment* before = live_.interval_ago(scale);
    born[static_cast<std::size_t>(scale)] = before == nullptr ? 0 : before->newest;
  }
  return sites_of(service_, ledger, born);
}

void Engine::remember(const Groups& groups, const Sites& sites, const ledger::Ledger& ledger, Instant now) {
  Moment moment{.at = now, .newest = ledger.newest(), .connections = connections(groups, sites), .requests = 0};
  std::map<std::string, Sample> stuck;
  for (const auto& [id, group] : groups) {
    stuck[id].at_scale = group.stuck;
    if (waits_beside_handler(group)) moment.requests += group.count;
  }
  std::map<std::string, Sample> live;
  for (const auto& [id, site] : sites) {
    Sample& sample = live[id];
    for (std::size_t scale = 0; scale < kScales; ++scale) sample.at_scale[scale] = {site.live, site.survived[scale]};
    sample.awake = site.awake;
  }
  stuck_.add(moment, stuck);
  live_.add(moment, live);
}

void Engine::evaluate(const Groups& groups, const Sites& sites, const ProcessFacts& process, Instant now) {
  evaluated_ = now;
  const Instant quiet_until = process.started + thresholds_.quiet_after_start;
  for (const Evidence check : {Evidence::forever, Evidence::stale}) checked_[check] = now;
  if (now - *began_ >= thresholds_.stuck_after) checked_[Evidence::stalled] = now;
  if (stuck_.complete(Scale::quick, quiet_until)) checked_[Evidence::growing] = checked_[Evidence::spinning] = now;
  if (stuck_.complete(Scale::slow, quiet_until)) checked_[Evidence::accumulating] = now;

  Subjects subjects = judge_groups(groups, quiet_until);
  Groups of_sites;
  judge_sites(groups, sites, quiet_until, of_sites, subjects);

  for (const auto& [id, subject] : subjects) {
    if (!subject.judgement.evidence || findings_.contains(id)) continue;
    findings_.emplace(id, Finding(*subject.group, *subject.judgement.evidence, now));
  }
  for (auto it = findings_.begin(); it != findings_.end();) {
    auto& [id, finding] = *it;
    const auto found = subjects.find(id);
    const Subject subject = found == subjects.end() ? Subject{} : found->second;
    const Stage before = finding.leak().stage;
    const bool stays = finding.evaluate(subject.group, subject.judgement, process, thresholds_, now);
    if (before != Stage::leaking && finding.leak().stage == Stage::leaking) ++detected_;
    if (!stays || !speaks_of_site(finding.leak().evidence)) {
      const auto of_site = by_site_.find(finding.leak().site_id);
      if (of_site != by_site_.end() && of_site->second == id) by_site_.erase(of_site);
    }
    it = stays ? std::next(it) : findings_.erase(it);
  }
}

Engine::Subjects Engine::judge_groups(const Groups& groups, Instant quiet_until) const {
  Subjects subjects;
  const auto fullest = fullest_of(groups);
  // One finding tells of a pool that has stalled: at the place where most of it is stuck.
  const auto stall = [&](const Group& group) -> const Stall* {
    const auto found = stalls_.stalled().find(group.creation);
    return found == stalls_.stalled().end() || fullest.at(group.site_id) != &group ? nullptr : &found->second;
  };
  for (const auto& [id, group] : groups) {
    const auto growth = [&, &id = id, &group = group](Scale scale) {
      std::optional<Growth> stuck = stuck_.checked(id, scale, quiet_until);
      if (!stuck || !stuck->holds) return stuck;
      // More and more stuck in one place, of a number that does not change, is a change of what they do.
      const Growth site = live_.of(group.site_id, scale);
      stuck->holds = site.to > site.from;
      return stuck;
    };
    subjects[id] = {&group, judge(group, growth(Scale::quick), growth(Scale::slow), stall(group))};
  }
  return subjects;
}

// Of sites whose growth no group of stuck goroutines accounts for.
void Engine::judge_sites(const Groups& groups, const Sites& sites, Instant quiet_until, Groups& of_sites,
                         Subjects& subjects) {
  std::set<std::string> accounted_for;
  for (const auto& [id, subject] : subjects) {
    if (subject.judgement.grows) accounted_for.insert(subject.group->site_id);
  }
  for (const auto& [id, finding] : findings_) {
    if (finding.has_grown() && !speaks_of_site(finding.leak().evidence)) accounted_for.insert(finding.leak().site_id);
  }
  const auto fullest = fullest_of(groups);
  for (const auto& [site, view] : sites) {
    if (view.live == 0) continue;
    const Judgement judgement = judge(live_.checked(site, Scale::quick, quiet_until),
                                      live_.checked(site, Scale::slow, quiet_until), thresholds_);
    if (!by_site_.contains(site)) {
      if (!judgement.evidence || accounted_for.contains(site)) continue;
      const auto most = fullest.find(site);
      place_site(site, view, most == fullest.end() ? nullptr : most->second);
    }
    const std::string& id = by_site_.at(site);
    Subject& subject = subjects[id];
    // Where they are stuck is said with better evidence.
    if (subject.judgement.evidence && *subject.judgement.evidence < Evidence::accumulating) continue;
    subject = {&of_sites.emplace(id, as_group(id, site, view, site_places_.at(site))).first->second, judgement};
  }
}

// Shown, and known, from now on where most of its goroutines wait; when they hardly do, as the function that they run.
void Engine::place_site(const std::string& site, const SiteView& view, const Group* fullest) {
  ledger::BlockedPlace& place = site_places_[site];
  if (fullest != nullptr && 2 * view.awake < view.live) {
    place = *fullest->place;
  } else {
    place = {};
    place.function = view.creation->entry.empty() ? view.creation->function : view.creation->entry;
    place.reason = "running";
  }
  by_site_[site] = leak_id(service_, *view.creation, place);
}

// Those that a finding speaks of as a whole.
Engine::Groups Engine::whole_sites(const Sites& sites) const {
  Groups whole;
  for (const auto& [site, id] : by_site_) {
    const auto view = sites.find(site);
    if (view != sites.end() && view->second.live > 0) {
      whole.emplace(id, as_group(id, site, view->second, site_places_.at(site)));
    }
  }
  return whole;
}

std::optional<Instant> Engine::last_run(Evidence check) const {
  if (check == Evidence::deadlock) return deadlocks_.last_run();
  if (check == Evidence::cancelled) return cancellations_.last_run();
  const auto when = checked_.find(check);
  return when == checked_.end() ? std::nullopt : std::optional(when->second);
}

}  // namespace goleakd::verdict
