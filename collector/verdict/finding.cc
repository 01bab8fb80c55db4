// SPDX-License-Identifier: Apache-2.0
#include "verdict/finding.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "base/duration.h"
#include "verdict/cause.h"
#include "verdict/cost.h"
#include "verdict/library_cause.h"

namespace goleakd::verdict {
namespace {

using ledger::WaitClass;

// How many of the group this evidence speaks of, and how many of those are orphans.
struct Stuck {
  std::uint64_t count = 0;
  ledger::Parentless orphans;
};
Stuck stuck(const Group& group, Evidence evidence) {
  switch (evidence) {
    case Evidence::forever:
    case Evidence::deadlock:  // told of by DeadlockWatch alone
    case Evidence::accumulating:
    case Evidence::spinning:
      return {group.count, group.orphans};
    case Evidence::growing:
      return {group.stuck[static_cast<std::size_t>(Scale::quick)].now, group.aged_orphans};
    case Evidence::stalled:
      return {group.stalled, group.stalled_orphans};
    case Evidence::cancelled:
      return {group.cancelled ? group.cancelled->count : 0, {}};
    case Evidence::stale:
      return {group.stale, group.stale_orphans};
  }
  return {};
}

// Long waits are what these are for: listeners and idle connections, tickers, signal handlers, the runtime's own.
bool may_wait_long(const Group& group) {
  switch (group.place->wait) {
    case WaitClass::none:
    case WaitClass::io:
    case WaitClass::sleep:
    case WaitClass::syscall:
    case WaitClass::coroutine:
    case WaitClass::runtime:
      return true;
    case WaitClass::select:
      break;
    default:
      if (!group.place->in_loop) return group.place->function.starts_with("os/signal.");
  }
  // A select or a range over a channel is where a worker waits for work. One whose starter is gone is worth a word:
  // nobody may be left to give it any.
  return group.stale_orphans.all == 0;
}

std::string percent(double share) { return std::to_string(static_cast<int>(share * 100)) + " %"; }

std::string rises(const Growth& growth) {
  return "rose in " + std::to_string(growth.rises) + " of " + std::to_string(growth.intervals) + " intervals over " +
         format_duration(growth.over);
}

std::string growth_text(const Growth& growth, std::string_view survivors) {
  return rises(growth) + ", from " + std::to_string(growth.from) + " to " + std::to_string(growth.to) + "; " +
         percent(growth.survival) + " " + std::string(survivors);
}
constexpr std::string_view kStayed = "stayed in the same park";

std::string stall_text(const Stall& stall) {
  std::string text = "all " + std::to_string(stall.goroutines) +
                     " started there have been stuck elsewhere than where " +
                     "they receive work, without progress for at least " + format_duration(stall.still) + "; ";
  if (stall.full) text += "their queue of " + std::to_string(stall.capacity) + " is full";
  if (stall.full && stall.senders > 0) text += ", and ";
  if (stall.senders > 0) text += std::to_string(stall.senders) + " stuck sending to it";
  return text;
}

// Who waits for room further on, for the network or a system call, may be slow rather than stuck: whether that is too
// long, only their owner knows. A select may have a case that time brings about.
bool may_come_from_elsewhere(WaitClass wait) {
  return wait == WaitClass::chan_send || wait == WaitClass::select || wait == WaitClass::io ||
         wait == WaitClass::syscall;
}

bool as_many(std::int64_t more, const Growth& growth) {
  return 10 * more >= 9 * static_cast<std::int64_t>(growth.to - growth.from);
}

// Goroutines of a connection of http.Transport. Of a proxy they are as many as the requests that it has under way: they
// are in use, though a stream or a long poll may keep them from doing anything for long. A forgotten answer outlives
// the request for which it was asked.
bool like_requests(const Group& group, const Growth& growth) {
  const std::optional<Cause> cause = library_cause(group);
  return (cause == Cause::http_body_not_closed || cause == Cause::http_connection_unused) &&
         as_many(growth.requests, growth);
}

// As many have come that wait for the network: what looks like a growing number of connections, each with a goroutine
// that waits beside the one that reads, for something to write: in a select, a receive, or by a condition. Whether
// connections leak, their number tells. What waits to send, or for a lock, is stuck whatever the connections do.
bool like_connections(const Group& group, const Growth& growth) {
  const WaitClass wait = group.place->wait;
  if (wait == WaitClass::io) return true;
  // The other ends of what package net/http leaves behind may be in the same program.
  if (library_cause(group)) return false;
  if (wait != WaitClass::select && wait != WaitClass::chan_receive && wait != WaitClass::cond) return false;
  return as_many(growth.connections, growth);
}

}  // namespace

Judgement judge(const Group& group, const std::optional<Growth>& quick, const std::optional<Growth>& slow,
                const Stall* stall) {
  Judgement judgement;
  if (stall != nullptr) judgement.stall = *stall;
  if (quick) judgement.growth = *quick;
  if (slow && slow->holds && !judgement.growth.holds) judgement.growth = *slow;
  judgement.grows = judgement.growth.holds && group.place->wait != WaitClass::runtime;
  judgement.settled = quick && quick->rises == 0 && !judgement.grows;
  if (ledger::is_forever(group.place->wait) && !group.only_main()) {
    judgement.evidence = Evidence::forever;
  } else if (judgement.grows) {
    judgement.evidence = Evidence::growing;
  } else if (judgement.stall) {
    judgement.evidence = Evidence::stalled;
  } else if (group.cancelled) {
    judgement.evidence = Evidence::cancelled;
  } else if (group.stale > 0 && !group.only_main() && !may_wait_long(group)) {
    judgement.evidence = Evidence::stale;
  }
  return judgement;
}

Judgement judge(const std::optional<Growth>& quick, const std::optional<Growth>& slow, const Thresholds& thresholds) {
  Judgement judgement;
  if (quick) judgement.growth = *quick;
  if (quick && quick->holds && quick->awake >= thresholds.spinning_awake) {
    judgement.evidence = Evidence::spinning;
  } else if (slow && slow->holds) {
    judgement.evidence = Evidence::accumulating;
    judgement.growth = *slow;
  }
  judgement.grows = judgement.evidence.has_value();
  judgement.settled = quick && quick->rises == 0 && !judgement.grows;
  return judgement;
}

Finding::Finding(const Group& group, Evidence evidence, Instant now) {
  leak_.id = group.id;
  leak_.site_id = group.site_id;
  leak_.evidence = evidence;
  leak_.first_seen = now;
}

void Finding::refresh(const Group* group) {
  const Stuck now = group == nullptr ? Stuck{} : stuck(*group, leak_.evidence);
  leak_.count = now.count;
  leak_.orphans = now.orphans.all;
  leak_.left_behind = now.orphans.left;
  leak_.peak = std::max(leak_.peak, now.count);
  leak_.cancelled = group == nullptr ? std::nullopt : group->cancelled;
  if (group == nullptr) {
    leak_.bytes = leak_.channels = 0;
    leak_.goroutines.clear();
    return;
  }
  leak_.creation = *group->creation;
  leak_.blocked = *group->place;
  leak_.cause = cause_of(*group, leak_.evidence);
  leak_.bytes = group->stack_bytes / group->count * now.count;  // their share, at the mean
  leak_.channels = group->channels;
  leak_.blocked_at_least_since = group->oldest.at_least_since;
  leak_.blocked_at_most_since = group->oldest.at_most_since;
  leak_.goroutines =
      leak_.evidence == Evidence::cancelled && group->cancelled ? group->cancelled->goroutines : group->samples;
  leak_.goroutines.resize(std::min<std::size_t>(leak_.goroutines.size(), now.count));
}

bool Finding::evaluate(const Group* group, const Judgement& judgement, const ProcessFacts& process,
                       const Thresholds& thresholds, Instant now) {
  // Evidence only ever gets stronger: what has grown and stopped is still a leak that grew, not a stale wait.
  if (judgement.evidence && *judgement.evidence < leak_.evidence) leak_.evidence = *judgement.evidence;
  const bool holds = judgement.evidence == leak_.evidence;
  refresh(group);
  if (judgement.grows) {
    grown_ = leak_.has_grown = true;
    company_ = Company::none;
    if (group != nullptr && like_connections(*group, judgement.growth)) company_ = Company::connections;
    if (group != nullptr && like_requests(*group, judgement.growth)) company_ = Company::requests;
  }
  if (judgement.settled) grown_ = false;
  stopped_ = judgement.stall && group != nullptr && !may_come_from_elsewhere(group->place->wait);
  leak_.growth_per_hour = judgement.grows ? judgement.growth.per_hour : 0;

  switch (leak_.stage) {
    case Stage::suspect:
      if (!judgement.evidence) return false;
      // What nothing can ever wake will not be otherwise at the next look.
      if (++agreeing_ >= thresholds.confirm_windows || leak_.evidence == Evidence::forever)
        leak_.stage = Stage::leaking;
      break;
    case Stage::leaking:
      fading_ = !holds && 2 * leak_.count < leak_.peak ? fading_ + 1 : 0;
      if (fading_ >= thresholds.resolve_windows) {
        leak_.stage = Stage::resolved;
        resolved_at_ = now;
        agreeing_ = fading_ = 0;
      }
      break;
    case Stage::resolved:
      agreeing_ = holds ? agreeing_ + 1 : 0;
      if (agreeing_ >= thresholds.confirm_windows) {
        leak_.stage = Stage::leaking;
        leak_.peak = leak_.count;
      } else if (now - resolved_at_ >= thresholds.keep_resolved) {
        return false;
      }
      break;
  }
  leak_.severity = severity(process);
  leak_.reasoning = reasoning(judgement, thresholds, now);
  return true;
}

// By cost and growth, not by the strength of the evidence; a pool that does nothing any more costs the work.
Severity Finding::severity(const ProcessFacts& process) const {
  if (leak_.stage == Stage::resolved) return Severity::info;
  if (!grown_ || company_ != Company::none) return stopped_ ? Severity::ticket : Severity::info;
  if (const Cost cost = cost_of(leak_, process); cost.left && *cost.left <= std::chrono::hours(24))
    return Severity::page;
  return Severity::ticket;
}

std::string Finding::reasoning(const Judgement& judgement, const Thresholds& thresholds, Instant now) const {
  const std::string count = std::to_string(leak_.count);
  if (leak_.stage == Stage::resolved) return count + " left of " + std::to_string(leak_.peak);
  const Growth& growth = judgement.growth;
  std::string company;
  if (company_ == Company::connections)
    company = "; " + std::to_string(growth.connections) + " more wait for the network: as many connections";
  if (company_ == Company::requests)
    company = "; " + std::to_string(growth.requests) + " more requests are being handled: as many";
  const auto settled = [&](std::string_view still, std::string_view otherwise) {
    if (grown_) return count + std::string(still) + "; " + rises(growth);
    return count + std::string(still) + ", and no more than that for " + format_duration(growth.over) +
           ": it leaks no longer, or " + std::string(otherwise);
  };
  switch (leak_.evidence) {
    case Evidence::forever:
      return count + " where nothing can ever wake them" + (judgement.grows ? "; " + growth_text(growth, kStayed) : "");
    case Evidence::deadlock:
      break;
    case Evidence::growing:
      return judgement.grows ? growth_text(growth, kStayed) + company
                             : settled(" still stuck", "it is a pool that is full");
    case Evidence::accumulating:
      return judgement.grows ? growth_text(growth, "of them lived on, though they wake") + company
                             : settled(" still live", "they are as many as the work needs");
    case Evidence::spinning:
      return judgement.grows ? growth_text(growth, "of them lived on") + "; in " + percent(growth.awake) +
                                   " of all looks they ran, or waited for a processor"
                             : settled(" still live", "they have begun to wait");
    case Evidence::stalled:
      if (!judgement.stall) return count + " still stuck; no work waits for them, or others do it";
      return stall_text(*judgement.stall);
    case Evidence::cancelled:
      if (!leak_.cancelled) return count + " still stuck; none is known to use a context that has ended";
      return count + " still in the same park, at least " + format_duration(now - leak_.cancelled->at_least_since) +
             " after the context that " + (leak_.count == 1 ? "it uses " : "they use ") +
             (leak_.cancelled->deadline ? "has passed its deadline" : "was cancelled");
    case Evidence::stale:
      return count + " in the same park for more than " + format_duration(thresholds.stale_after) +
             ", the longest for at least " + format_duration(now - leak_.blocked_at_least_since) + "; not growing";
  }
  return {};
}

}  // namespace goleakd::verdict
