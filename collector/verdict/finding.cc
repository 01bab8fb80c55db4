// SPDX-License-Identifier: Apache-2.0
#include "verdict/finding.h"

#include <algorithm>
#include <string>

#include "base/duration.h"
#include "verdict/cause.h"

namespace goleakd::verdict {
namespace {

using ledger::WaitClass;

// How many of the group this evidence speaks of, and how many of those are orphans.
struct Stuck {
  std::uint64_t count = 0;
  std::uint64_t orphans = 0;
};
Stuck stuck(const Group& group, Evidence evidence) {
  switch (evidence) {
    case Evidence::forever:
      return {group.count, group.orphans};
    case Evidence::growing:
      return {group.aged, group.aged_orphans};
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
  return group.stale_orphans == 0;
}

std::string percent(double share) { return std::to_string(static_cast<int>(share * 100)) + " %"; }

std::string rises(const Growth& growth) {
  return "rose in " + std::to_string(growth.rises) + " of " + std::to_string(growth.intervals) + " intervals over " +
         format_duration(growth.over);
}

std::string growth_text(const Growth& growth) {
  return rises(growth) + ", from " + std::to_string(growth.from) + " to " + std::to_string(growth.to) + "; " +
         percent(growth.survival) + " stayed in the same park";
}

}  // namespace

Judgement judge(const Group& group, const std::optional<Growth>& growth) {
  Judgement judgement;
  if (growth) {
    judgement.growth = *growth;
    judgement.grows = growth->holds && group.place->wait != WaitClass::runtime;
    judgement.settled = growth->rises == 0;
  }
  if (ledger::is_forever(group.place->wait) && !group.only_main()) {
    judgement.evidence = Evidence::forever;
  } else if (judgement.grows) {
    judgement.evidence = Evidence::growing;
  } else if (group.stale > 0 && !group.only_main() && !may_wait_long(group)) {
    judgement.evidence = Evidence::stale;
  }
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
  leak_.orphans = now.orphans;
  leak_.peak = std::max(leak_.peak, now.count);
  if (group == nullptr) {
    leak_.bytes = leak_.channels = 0;
    leak_.goroutines.clear();
    return;
  }
  leak_.creation = *group->creation;
  leak_.blocked = *group->place;
  leak_.cause = cause_of(*group);
  leak_.bytes = group->stack_bytes / group->count * now.count;  // their share, at the mean
  leak_.channels = group->channels;
  leak_.blocked_at_least_since = group->oldest.at_least_since;
  leak_.blocked_at_most_since = group->oldest.at_most_since;
  leak_.goroutines = group->samples;
  leak_.goroutines.resize(std::min<std::size_t>(leak_.goroutines.size(), now.count));
}

bool Finding::evaluate(const Group* group, const Judgement& judgement, const ProcessFacts& process,
                       const Thresholds& thresholds, Instant now) {
  // Evidence only ever gets stronger: what has grown and stopped is still a leak that grew, not a stale wait.
  if (judgement.evidence && *judgement.evidence < leak_.evidence) leak_.evidence = *judgement.evidence;
  const bool holds = judgement.evidence == leak_.evidence;
  refresh(group);
  if (judgement.grows) grown_ = true;
  if (judgement.settled) grown_ = false;
  leak_.growth_per_hour = judgement.grows ? judgement.growth.per_hour : 0;

  switch (leak_.stage) {
    case Stage::suspect:
      if (!judgement.evidence) return false;
      if (++agreeing_ >= thresholds.confirm_windows) leak_.stage = Stage::leaking;
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
  leak_.severity = severity(judgement, process);
  leak_.reasoning = reasoning(judgement, thresholds, now);
  return true;
}

// By cost and growth, not by the strength of the evidence.
Severity Finding::severity(const Judgement& judgement, const ProcessFacts& process) const {
  // The number of open connections explains goroutines in IO wait; whether they leak, only their descriptors can tell.
  const bool explained = leak_.blocked.wait == WaitClass::io;
  if (leak_.stage == Stage::resolved || !grown_ || explained) return Severity::info;
  if (judgement.grows && process.memory_limit_bytes > 0 && leak_.count > 0) {
    const double each = static_cast<double>(leak_.bytes) / static_cast<double>(leak_.count);
    const double in_a_day = leak_.growth_per_hour * 24 * each;
    const std::uint64_t free =
        process.memory_limit_bytes - std::min(process.resident_bytes, process.memory_limit_bytes);
    if (in_a_day >= static_cast<double>(free)) return Severity::page;
  }
  return Severity::ticket;
}

std::string Finding::reasoning(const Judgement& judgement, const Thresholds& thresholds, Instant now) const {
  const std::string count = std::to_string(leak_.count);
  if (leak_.stage == Stage::resolved) return count + " left of " + std::to_string(leak_.peak);
  const Growth& growth = judgement.growth;
  switch (leak_.evidence) {
    case Evidence::forever:
      return count + " where nothing can ever wake them" + (judgement.grows ? "; " + growth_text(growth) : "");
    case Evidence::growing:
      if (judgement.grows) return growth_text(growth);
      if (!grown_) {
        return count + " still stuck, and no more than that for " + format_duration(growth.over) +
               ": it leaks no longer, or it is a pool that is full";
      }
      return count + " still stuck; " + rises(growth);
    case Evidence::stale:
      return count + " in the same park for more than " + format_duration(thresholds.stale_after) +
             ", the longest for at least " + format_duration(now - leak_.blocked_at_least_since) + "; not growing";
  }
  return {};
}

}  // namespace goleakd::verdict
