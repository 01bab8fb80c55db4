// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "ledger/goroutine_dump.h"
#include "ledger/site.h"

namespace goleakd::verdict {

// What a verdict rests on (docs/verdicts.md), strongest first.
enum class Evidence : std::uint8_t { forever, deadlock, growing, accumulating, spinning, stalled, cancelled, stale };

// It says of all goroutines of a creation site that they do not end, not where they are stuck: they do wake.
constexpr bool speaks_of_site(Evidence evidence) {
  return evidence == Evidence::accumulating || evidence == Evidence::spinning;
}

// Why these goroutines are stuck, told from what they wait on.
enum class Cause : std::uint8_t {
  send_unbuffered_no_receiver,
  send_buffer_full,
  receive_never_satisfied,
  range_never_closed,
  nil_channel,
  select_no_cases,
  select_without_exit,
  wait_group_never_done,
  mutex_never_released,
  lock_held_over_channel,
  lock_held_over_io,
  lock_order,
  double_lock,
  lock_upgrade,
  recursive_read_lock,
  wait_under_lock,
  cond_never_signalled,
  semaphore_never_released,
  io_wait,
  sleeping,
  syscall,
  coroutine_never_stopped,
  loop_without_exit,
  http_body_not_closed,
  http_connection_unused,
  pipe_never_closed,
  context_never_cancelled,
  sql_rows_not_closed,
  sql_transaction_not_ended,
  sql_db_not_closed,
  unknown,
};

enum class Severity : std::uint8_t { info, ticket, page };
enum class Stage : std::uint8_t { suspect, leaking, resolved };

std::string_view to_string(Evidence evidence);
std::string_view to_string(Cause cause);
// The cause of that word; unknown when it is none.
Cause cause_of(std::string_view word);
std::string_view to_string(Severity severity);
std::string_view to_string(Stage stage);

// For people: what happened in one sentence, and the fix in two or three lines of plain advice.
std::string_view explain(Cause cause);
std::string_view advise(Cause cause);

// One finding about one process. Times are monotonic; whoever exports turns them into wall time.
// One of the goroutines that wait for each other.
struct DeadlockMember {
  struct Held {
    ledger::ObjectDump object;
    ledger::Frame frame;  // that holds it, where it goes on; of a wait group: that is to call Done
  };
  ledger::Goid goid = 0;
  ledger::CreationSite creation;
  ledger::BlockedPlace blocked;
  ledger::ObjectDump waits_for;
  std::vector<Held> holds;  // of what the others wait for
  Instant blocked_at_least_since;
};

// One who may hold a lock that others wait for, and stands still.
struct LockHolder {
  ledger::Goid goid = 0;
  ledger::ObjectDump object;     // the lock
  ledger::Frame frame;           // that holds it, where it goes on
  ledger::BlockedPlace blocked;  // where the goroutine is
  Instant blocked_at_least_since;
};

// Those of a leak that still use a context that has ended, and have stood still since.
struct Cancelled {
  std::uint64_t count = 0;  // that are known
  // Of the one that was seen so first.
  bool deadline = false;  // it has passed its deadline; else it was cancelled
  ledger::Frame frame;    // that uses it, where it goes on
  Instant at_least_since;
  std::vector<std::uint64_t> goroutines;  // up to 5 goids
};

struct Leak {
  // 16 hex digits of hash(service, creation function, ordinal, blocked function, wait class): no lines, and no numbers
  // of closures in the latter (stable_name.h).
  std::string id;
  std::string site_id;  // 16 hex digits of hash(service, creation function, ordinal)
  ledger::CreationSite creation;
  ledger::BlockedPlace blocked;
  Evidence evidence{};
  Cause cause = Cause::unknown;
  Severity severity = Severity::info;
  Stage stage = Stage::suspect;
  // Goroutines stuck now: by the evidence all (forever), those in one park for an interval of the window (growing) or
  // for the threshold of their own (stalled, stale). Goroutines that merely pass through the same place are not among
  // them. Where the evidence speaks of the site: all of its goroutines.
  std::uint64_t count = 0;
  std::uint64_t peak = 0;
  std::uint64_t bytes = 0;     // their stack spans, at the mean of all that wait there
  double growth_per_hour = 0;  // goroutines, over the last window; 0 when not growing
  std::uint64_t orphans = 0;   // of count: the goroutine that started them has ended
  // Of orphans: surely stuck since before it ended, so that it has ended without a word to them. Of others that is not
  // known: goroutines that end soon do so between two looks.
  std::uint64_t left_behind = 0;
  std::uint64_t channels =
      0;               // distinct ones that goroutines wait on there, also those not counted yet; 0 when not known
  Instant first_seen;  // of this finding
  Instant blocked_at_least_since;         // the longest stuck
  Instant blocked_at_most_since;          // Instant::min(): older than goleakd's watch
  std::vector<std::uint64_t> goroutines;  // up to 5 goids, longest stuck first
  // Who may hold the locks that `goroutines` wait for, up to 4; nothing where that was not looked for, or they wait for
  // none, empty where nobody was found.
  std::optional<std::vector<LockHolder>> held_by;
  std::optional<Cancelled> cancelled;  // nothing where none is known
  // Of a deadlock: up to 8 by goid, of each place one at least if there are no more of those. `creation` and `blocked`
  // are one's of them.
  std::vector<DeadlockMember> members;
  std::uint64_t behind = 0;  // of count: those who wait for what the members of a deadlock hold
  bool has_grown = false;    // at some time since it was found
  std::string ignored;       // the reason of the rule by which it is left alone (ignore.h); empty: it is not
  std::string outgrown;      // what was accepted of it, and why, when that is less than there is; else empty
  // The evidence in words with its numbers: "rose in 10 of 10 intervals over 5m, from 12 to 132; 100 % stayed in the
  // same park".
  std::string reasoning;
};

std::string site_id(std::string_view service, const ledger::CreationSite& site);
std::string leak_id(std::string_view service, const ledger::CreationSite& site, const ledger::BlockedPlace& place);

}  // namespace goleakd::verdict
