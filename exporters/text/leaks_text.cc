// SPDX-License-Identifier: Apache-2.0
#include "text/leaks_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ranges>
#include <tuple>
#include <utility>
#include <vector>

#include "base/duration.h"
#include "base/hex.h"
#include "text/blocks.h"
#include "text/layout.h"
#include "text/object.h"
#include "verdict/cost.h"

namespace goleakd::text {
namespace {

using verdict::Leak;
using verdict::Report;
using verdict::Stage;
using verdict::TargetReport;

struct Finding {
  const TargetReport* target;
  const Leak* leak;
};

int rank(Stage stage) { return stage == Stage::leaking ? 0 : stage == Stage::suspect ? 1 : 2; }

bool worse(const Finding& a, const Finding& b) {
  const auto key = [](const Finding& f) {
    return std::tuple(rank(f.leak->stage), -static_cast<int>(f.leak->severity), ~f.leak->count, f.target->pid);
  };
  return key(a) < key(b);
}

std::vector<Finding> findings(const Report& report, const LeaksQuery& query) {
  std::vector<Finding> found;
  for (const TargetReport& target : report.targets) {
    if (query.pid && *query.pid != target.pid) continue;
    for (const Leak& leak : target.leaks) {
      if (leak.ignored.empty() && (leak.stage != Stage::suspect || query.suspects)) found.push_back({&target, &leak});
    }
  }
  std::stable_sort(found.begin(), found.end(), worse);
  return found;
}

std::string name_of(const TargetReport& target) {
  return printable(target.app) + " (pid " + std::to_string(target.pid) + ")";
}

std::string per_hour(double growth) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), std::abs(growth) >= 10 ? "%+.0f/h" : "%+.1f/h", growth);
  return text.data();
}

std::string percent(double share) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), share >= 0.1 ? "%.0f %%" : "%.2g %%", share * 100);
  return text.data();
}

std::string title(const Report& report, const Finding& finding, bool color) {
  const Leak& leak = *finding.leak;
  const std::string age = format_duration(report.at - leak.first_seen);
  std::string word;
  std::string since;
  switch (leak.stage) {
    case Stage::leaking:
      word = colored("LEAK", "1;31", color);
      since = "leaking for " + age;
      break;
    case Stage::suspect:
      word = colored("SUSPECT", "33", color);
      since = "suspected for " + age;
      break;
    case Stage::resolved:
      word = colored("RESOLVED", "32", color);
      since = "first seen " + age + " ago";
      break;
  }
  return word + "  " + leak.id + "  [" + std::string(verdict::to_string(leak.severity)) + ", " + since + "]  " +
         name_of(*finding.target) + "\n";
}

std::string extent(const Report& report, const Leak& leak) {
  std::string line = "  " + counted(leak.count, "goroutine") + ", " + format_bytes(leak.bytes) + " of stacks";
  if (leak.stage == Stage::resolved) return line + "; at worst " + std::to_string(leak.peak) + "\n";
  if (leak.growth_per_hour != 0) line += ", " + per_hour(leak.growth_per_hour);
  if (verdict::speaks_of_site(leak.evidence)) return line + "\n";
  line += "; longest stuck " + format_duration(report.at - leak.blocked_at_least_since);
  if (leak.blocked_at_most_since < leak.blocked_at_least_since) line += " or more";
  return line + "\n";
}

// Before this process, or this goleakd, began: as history has it.
std::string known_before(const Report& report, const Leak& leak) {
  constexpr double kTellingSeconds = 60;
  const auto first = verdict::first_seen_ever(report, leak.id);
  if (!first || report.wall.unix_seconds(leak.first_seen) - static_cast<double>(*first) < kTellingSeconds) return {};
  const std::chrono::duration<double> ago(report.wall.unix_seconds(report.at) - static_cast<double>(*first));
  return listing("known", {"for " + format_duration(std::chrono::duration_cast<Duration>(ago)) +
                           ", longer than this process, or this goleakd: goleakd leaks --history"});
}

// What the process has of it.
std::string memory(const Finding& finding) {
  const verdict::Cost cost = verdict::cost_of(*finding.leak, finding.target->facts);
  if (!cost.share) return {};
  std::string text = "the stacks are " + percent(*cost.share) + " of what is resident";
  if (cost.left) {
    text += "; alone they fill the " + format_bytes(finding.target->facts.memory_limit_bytes) + " there are in " +
            format_duration(*cost.left);
  }
  return paragraph("memory", text);
}

std::string places(const Leak& leak) {
  const auto known = [](const std::string& function) { return function.empty() ? "unknown" : printable(function); };
  const std::string entry = leak.creation.entry.empty() ? "" : "(go " + printable(leak.creation.entry) + ")";
  const auto rows = align({{known(leak.creation.function), location(leak.creation.file, leak.creation.line), entry},
                           {known(leak.blocked.function), location(leak.blocked.file, leak.blocked.line),
                            "[" + printable(leak.blocked.reason) + "]"}});
  return listing("started", {rows[0]}) +
         listing(verdict::speaks_of_site(leak.evidence) ? "seen in" : "stuck in", {rows[1]});
}

std::string name(const ledger::ObjectDump& object) { return printable(object.kind) + " " + hex(object.address); }

template <typename Place>
std::string at(const Place& place) {
  return printable(place.function) + " " + location(place.file, place.line);
}

// Who holds the lock that it waits for, and what keeps that one.
std::string held_by(const Report& report, const Leak& leak) {
  if (!leak.held_by) return {};
  if (leak.held_by->empty()) {
    return paragraph("held by", "nobody who could be found: whoever locked it has returned without unlocking, or runs");
  }
  std::vector<std::string> rows;
  for (const verdict::LockHolder& holder : *leak.held_by) {
    rows.push_back("goroutine " + std::to_string(holder.goid) + ", " + name(holder.object) + " in " + at(holder.frame));
    rows.push_back("  which is stuck in " + at(holder.blocked) + " [" + printable(holder.blocked.reason) + "], for " +
                   format_duration(report.at - holder.blocked_at_least_since));
  }
  return listing("held by", rows);
}

// That it should have ended, and still has to look at its context.
std::string cancelled(const Report& report, const Leak& leak) {
  if (!leak.cancelled) return {};
  const verdict::Cancelled& ended = *leak.cancelled;
  return listing("context", {std::string(ended.deadline ? "past its deadline" : "cancelled") + " for at least " +
                             format_duration(report.at - ended.at_least_since) + ", and still used by " +
                             std::to_string(ended.count) + " of them, in " + at(ended.frame)});
}

// Each of those who wait for each other, what it holds, and what it waits for.
std::string members(const Report& report, const Leak& leak) {
  std::vector<std::string> rows;
  for (const verdict::DeadlockMember& member : leak.members) {
    rows.push_back("goroutine " + std::to_string(member.goid) + ", started by " + at(member.creation));
    for (const auto& [object, frame] : member.holds) {
      const bool owes = object.kind == "waitgroup";
      rows.push_back((owes ? "  owes Done to " : "  holds ") + name(object) + " in " + at(frame));
    }
    rows.push_back("  waits for " + name(member.waits_for) + " in " + at(member.blocked) + ", for " +
                   format_duration(report.at - member.blocked_at_least_since));
  }
  const std::uint64_t shown = leak.members.size() + leak.behind;
  if (shown < leak.count) rows.push_back("and " + std::to_string(leak.count - shown) + " more like them");
  return listing("deadlock", rows);
}

std::string frames_below(const std::string& label, const std::vector<ledger::Frame>& frames, int limit) {
  const std::size_t shown = std::min(frames.size(), static_cast<std::size_t>(std::max(limit, 0)));
  std::vector<std::vector<std::string>> table;
  for (std::size_t i = 0; i < shown; ++i) {
    table.push_back({printable(frames[i].function), location(frames[i].file, frames[i].line)});
  }
  std::vector<std::string> rows = align(table);
  if (shown > 0 && shown < frames.size()) rows.push_back("and " + std::to_string(frames.size() - shown) + " more");
  return listing(label, rows);
}

std::string stack(const Leak& leak, int limit) {
  return leak.blocked.stack == nullptr ? "" : frames_below("stack", *leak.blocked.stack, limit);
}

// How the `go` statement was reached, but for its own function, which stands above.
std::string spawned_from(const TargetReport& target, const Leak& leak, int limit) {
  const auto known = target.spawned_from.find(leak.site_id);
  if (known == target.spawned_from.end()) return {};
  std::string text;
  for (const verdict::CaughtStack& from : known->second) {
    if (from.frames.size() < 2) continue;
    text += frames_below(text.empty() ? "called by" : "or by", {from.frames.begin() + 1, from.frames.end()}, limit);
  }
  return text;
}

// But for where they are.
bool alike(const ledger::ObjectDump& a, const ledger::ObjectDump& b) {
  return a.kind == b.kind && a.attributes == b.attributes && std::ranges::equal(a.cases, b.cases, alike);
}

// What those wait on that stand for it, and of a select each case. Most of them wait on objects that look the same.
std::string waits_on(const TargetReport& target, const Leak& leak) {
  constexpr std::size_t kObjects = 3;
  constexpr std::size_t kCases = 8;
  const auto known = target.waits_on.find(leak.id);
  if (known == target.waits_on.end()) return {};
  std::vector<std::pair<const ledger::ObjectDump*, std::size_t>> kinds;
  for (const verdict::SeenObject& seen : known->second) {
    const auto same = std::ranges::find_if(kinds, [&](const auto& kind) { return alike(*kind.first, seen.object); });
    if (same == kinds.end()) {
      kinds.emplace_back(&seen.object, 0);
    } else {
      ++same->second;
    }
  }
  std::string text;
  for (const auto& [object, more] : kinds | std::views::take(kObjects)) {
    const std::string others = more == 0 ? "" : "; " + std::to_string(more) + " more like it";
    text += paragraph(text.empty() ? "waits on" : "or on", object_text(*object) + others);
    for (const ledger::ObjectDump& one : object->cases | std::views::take(kCases))
      text += paragraph("", "case " + object_text(one));
    if (object->cases.size() > kCases)
      text += paragraph("", "and " + std::to_string(object->cases.size() - kCases) + " more");
  }
  return text;
}

std::string caught_by(const Report& report, const std::string& label, const std::vector<verdict::CaughtStack>& caught,
                      int limit) {
  std::string text;
  for (const verdict::CaughtStack& by : caught) {
    std::string head = (by.operation.empty() ? "" : by.operation + ", ") + std::to_string(by.times) +
                       " seen, the last " + format_duration(report.at - by.last) + " ago";
    if (by.frames.empty()) head += ", by the runtime itself";
    text += paragraph(text.empty() ? label : "or by", head) + frames_below("", by.frames, limit);
  }
  return text;
}

std::string nobody(Duration watched) { return "nobody, while it was looked for that for " + format_duration(watched); }

// Who wakes others that were started in the same place and wait for the same, and who touches the very objects that
// these wait on, as far as it was seen.
std::string partners(const Report& report, const TargetReport& target, const Leak& leak, int limit) {
  constexpr Duration kTelling = std::chrono::seconds(1);  // to have seen nobody for less says nothing
  const auto woken = target.woken_by.find(leak.id);
  const auto touched = target.touched_by.find(leak.id);
  std::string wakers;
  if (woken != target.woken_by.end()) {
    wakers = caught_by(report, "woken by", woken->second, limit);
  } else if (target.wakes_watched >= kTelling) {
    wakers = paragraph("woken by", nobody(target.wakes_watched));
  }
  if (touched == target.touched_by.end()) return wakers;
  const auto& [by, watched] = touched->second;
  if (by.empty()) return watched < kTelling ? wakers : wakers + paragraph("touched by", nobody(watched));
  return wakers + caught_by(report, "touched by", by, limit);
}

std::string samples(const Leak& leak) {
  if (leak.goroutines.empty()) return {};
  std::string list;
  for (const std::uint64_t goid : leak.goroutines) list += (list.empty() ? "" : ", ") + std::to_string(goid);
  if (leak.goroutines.size() < leak.count) list += ", …";
  return listing("goroutines", {list});
}

std::string evidence(const Leak& leak) {
  std::string text = std::string(verdict::to_string(leak.evidence)) + ": " + printable(leak.reasoning);
  if (leak.channels != 0 && leak.count > 1) text += "; " + counted(leak.channels, "channel") + " waited on there";
  if (leak.orphans != 0) text += "; " + std::to_string(leak.orphans) + " outlived the goroutine that started them";
  if (leak.left_behind != 0) text += ", " + std::to_string(leak.left_behind) + " of them stuck since before it ended";
  return text;
}

std::string block(const Report& report, const Finding& finding, const LeaksQuery& query) {
  const Leak& leak = *finding.leak;
  return title(report, finding, query.color) + extent(report, leak) + known_before(report, leak) + memory(finding) +
         (leak.members.empty() ? places(leak) : members(report, leak)) + waits_on(*finding.target, leak) +
         held_by(report, leak) + cancelled(report, leak) + spawned_from(*finding.target, leak, query.stack_frames) +
         partners(report, *finding.target, leak, query.stack_frames) +
         paragraph("cause", verdict::explain(leak.cause)) + paragraph("evidence", evidence(leak)) +
         (leak.outgrown.empty() ? "" : paragraph("accepted", printable(leak.outgrown))) +
         paragraph("fix", verdict::advise(leak.cause)) + stack(leak, query.stack_frames) + samples(leak);
}

std::string how_seen(const Report& report, const TargetReport& target) {
  std::string text = counted(target.goroutines, "goroutine") + " " + format_duration(report.at - target.snapshot_at) +
                     " ago, seen by " + (target.mode == verdict::Mode::events ? "events and snapshots" : "snapshots");
  if (!target.mode_reason.empty()) text += " only (" + printable(target.mode_reason) + ")";
  return text;
}

// A process without leaks to show: whether that means anything. A look that has not happened never reads as "no leaks".
std::string all_clear(const Report& report, const TargetReport& target) {
  if (!target.snapshot_taken) return "not looked at yet: " + name_of(target) + "\n";
  if (target.checks_last_run.empty())
    return "not judged yet: " + name_of(target) + ": " + how_seen(report, target) + "\n";
  const auto oldest = std::min_element(target.checks_last_run.begin(), target.checks_last_run.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
  std::string line = "no leaks in " + name_of(target) + ": " + how_seen(report, target) + ", checked " +
                     format_duration(report.at - oldest->second) + " ago";
  const auto suspects = std::count_if(target.leaks.begin(), target.leaks.end(),
                                      [](const Leak& leak) { return leak.stage == Stage::suspect; });
  if (suspects > 0) line += "; " + counted(static_cast<std::uint64_t>(suspects), "suspect") + " not shown";
  return line + "\n";
}

std::string ignored(const TargetReport& target) {
  std::string lines;
  for (const Leak& leak : target.leaks) {
    if (leak.ignored.empty() || leak.stage == Stage::suspect) continue;
    lines += "ignored: " + leak.id + ", " + counted(leak.count, "goroutine") + " of " +
             printable(leak.creation.function) + " in " + name_of(target) + ": " + printable(leak.ignored) + "\n";
  }
  return lines;
}

std::string status(const Report& report, const TargetReport& target, bool has_findings) {
  if (!target.up) {
    std::string line = "cannot be read: " + name_of(target) + ": " + printable(target.last_error);
    if (target.snapshot_taken) line += "; last seen " + format_duration(report.at - target.snapshot_at) + " ago";
    return line + "\n";
  }
  return has_findings ? std::string() : all_clear(report, target);
}

std::string statuses(const Report& report, const LeaksQuery& query, const std::vector<Finding>& found) {
  std::string lines;
  for (const TargetReport& target : report.targets) {
    if (query.pid && *query.pid != target.pid) continue;
    const bool has_findings =
        std::any_of(found.begin(), found.end(), [&](const Finding& f) { return f.target == &target; });
    lines += status(report, target, has_findings) + ignored(target);
  }
  for (const verdict::UnsupportedReport& process : report.unsupported) {
    if (query.pid && *query.pid != process.pid) continue;
    lines += "not supported: " + printable(process.exe) + " (pid " + std::to_string(process.pid) +
             "): " + printable(process.reason) + "\n";
  }
  return lines;
}

}  // namespace

std::string leaks_text(const Report& report, const LeaksQuery& query) {
  const std::vector<Finding> found = findings(report, query);
  std::string text;
  for (const Finding& finding : found) text += (text.empty() ? "" : "\n") + block(report, finding, query);
  const std::string lines = statuses(report, query, found);
  if (!text.empty() && !lines.empty()) text += "\n";
  text += lines;
  if (!text.empty()) return text;
  return query.pid ? "pid " + std::to_string(*query.pid) + " is not a Go process that goleakd watches\n"
                   : "no Go processes found\n";
}

}  // namespace goleakd::text
