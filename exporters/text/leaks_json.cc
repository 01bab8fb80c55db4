// SPDX-License-Identifier: Apache-2.0
#include "text/leaks_json.h"

#include "ledger/wait.h"
#include "text/json.h"
#include "text/object.h"
#include "verdict/cost.h"

namespace goleakd::text {
namespace {

using nlohmann::json;

json known(std::uint64_t bytes) { return bytes == 0 ? json() : json(bytes); }

json blocked_json(const ledger::BlockedPlace& place) {
  return {{"function", place.function}, {"file", place.file},
          {"line", place.line},         {"wait", ledger::to_string(place.wait)},
          {"reason", place.reason},     {"in_loop", place.in_loop}};
}

json stack_json(const ledger::BlockedPlace& place) {
  return place.stack == nullptr ? json::array() : frames_json(*place.stack);
}

json spawned_from_json(const verdict::TargetReport& target, const verdict::Leak& leak) {
  json list = json::array();
  const auto known = target.spawned_from.find(leak.site_id);
  if (known == target.spawned_from.end()) return list;
  for (const verdict::CaughtStack& from : known->second) {
    list.push_back({{"times", from.times}, {"stack", frames_json(from.frames)}});
  }
  return list;
}

json caught_json(const verdict::Report& report, const std::vector<verdict::CaughtStack>& caught) {
  json list = json::array();
  for (const verdict::CaughtStack& by : caught) {
    list.push_back({{"times", by.times},
                    {"operation", by.operation},
                    {"last", wall_time(report, by.last)},
                    {"stack", frames_json(by.frames)}});
  }
  return list;
}

json woken_by_json(const verdict::Report& report, const verdict::TargetReport& target, const verdict::Leak& leak) {
  const auto known = target.woken_by.find(leak.id);
  return known == target.woken_by.end() ? json::array() : caught_json(report, known->second);
}

// Who waits for whom; null for what is no deadlock.
json deadlock_json(const verdict::Report& report, const verdict::Leak& leak) {
  if (leak.evidence != verdict::Evidence::deadlock) return {};
  json members = json::array();
  for (const verdict::DeadlockMember& member : leak.members) {
    json holds = json::array();
    for (const verdict::DeadlockMember::Held& held : member.holds) {
      holds.push_back({{"object", object_json(held.object)}, {"frame", to_json(held.frame)}});
    }
    members.push_back({{"goroutine", member.goid},
                       {"creation", to_json(member.creation)},
                       {"blocked", blocked_json(member.blocked)},
                       {"stack", stack_json(member.blocked)},
                       {"blocked_at_least_since", wall_time(report, member.blocked_at_least_since)},
                       {"waits_for", object_json(member.waits_for)},
                       {"holds", std::move(holds)}});
  }
  return {{"members", std::move(members)}, {"behind", leak.behind}};
}

json held_by_json(const verdict::Report& report, const verdict::Leak& leak) {
  if (!leak.held_by) return {};
  json list = json::array();
  for (const verdict::LockHolder& holder : *leak.held_by) {
    list.push_back({{"goroutine", holder.goid},
                    {"object", object_json(holder.object)},
                    {"frame", to_json(holder.frame)},
                    {"blocked", blocked_json(holder.blocked)},
                    {"blocked_at_least_since", wall_time(report, holder.blocked_at_least_since)}});
  }
  return list;
}

json cancelled_json(const verdict::Report& report, const verdict::Leak& leak) {
  if (!leak.cancelled) return {};
  const verdict::Cancelled& cancelled = *leak.cancelled;
  return {{"count", cancelled.count},
          {"reason", cancelled.deadline ? "deadline" : "cancelled"},
          {"at_least_since", wall_time(report, cancelled.at_least_since)},
          {"frame", to_json(cancelled.frame)},
          {"goroutines", cancelled.goroutines}};
}

verdict::Touches touches_of(const verdict::TargetReport& target, const verdict::Leak& leak) {
  const auto known = target.touched_by.find(leak.id);
  return known == target.touched_by.end() ? verdict::Touches() : known->second;
}

json waits_on_json(const verdict::Report& report, const verdict::TargetReport& target, const verdict::Leak& leak) {
  json list = json::array();
  const auto known = target.waits_on.find(leak.id);
  if (known == target.waits_on.end()) return list;
  for (const verdict::SeenObject& seen : known->second) {
    json object = object_json(seen.object);
    object["goroutines"] = seen.goroutines;
    object["seen_at"] = wall_time(report, seen.at);
    list.push_back(std::move(object));
  }
  return list;
}

json first_seen_ever(const verdict::Report& report, const verdict::Leak& leak) {
  const auto known = verdict::first_seen_ever(report, leak.id);
  return known ? json(*known) : json();
}

json leak_json(const verdict::Report& report, const verdict::TargetReport& target, const verdict::Leak& leak) {
  const verdict::Cost cost = verdict::cost_of(leak, target.facts);
  const bool stuck = !verdict::speaks_of_site(leak.evidence);
  const bool age_bounded = stuck && leak.blocked_at_most_since != Instant::min();
  const verdict::Touches touches = touches_of(target, leak);
  return {
      {"id", leak.id},
      {"site_id", leak.site_id},
      {"stage", verdict::to_string(leak.stage)},
      {"severity", verdict::to_string(leak.severity)},
      {"evidence", verdict::to_string(leak.evidence)},
      {"reasoning", leak.reasoning},
      {"ignored", leak.ignored.empty() ? json() : json(leak.ignored)},
      {"outgrown", leak.outgrown.empty() ? json() : json(leak.outgrown)},
      {"cause", verdict::to_string(leak.cause)},
      {"explanation", verdict::explain(leak.cause)},
      {"advice", verdict::advise(leak.cause)},
      {"count", leak.count},
      {"peak", leak.peak},
      {"bytes", leak.bytes},
      {"growth_per_hour", leak.growth_per_hour},
      {"share_of_resident", cost.share ? json(*cost.share) : json()},
      {"memory_full_in_seconds", cost.left ? json(std::chrono::duration<double>(*cost.left).count()) : json()},
      {"orphans", leak.orphans},
      {"left_behind", leak.left_behind},
      {"channels", leak.channels},
      {"first_seen", wall_time(report, leak.first_seen)},
      {"first_seen_ever", first_seen_ever(report, leak)},
      {"blocked_at_least_since", stuck ? wall_time(report, leak.blocked_at_least_since) : json()},
      {"blocked_at_most_since", age_bounded ? wall_time(report, leak.blocked_at_most_since) : json()},
      {"goroutines", leak.goroutines},
      {"creation", to_json(leak.creation)},
      {"blocked", blocked_json(leak.blocked)},
      {"stack", stack_json(leak.blocked)},
      {"held_by", held_by_json(report, leak)},
      {"cancelled", cancelled_json(report, leak)},
      {"deadlock", deadlock_json(report, leak)},
      {"waits_on", waits_on_json(report, target, leak)},
      {"spawned_from", spawned_from_json(target, leak)},
      {"woken_by", woken_by_json(report, target, leak)},
      {"touched_by", caught_json(report, touches.by)},
      {"touches_watched_seconds", std::chrono::duration<double>(touches.watched).count()},
  };
}

json target_json(const verdict::Report& report, const verdict::TargetReport& target) {
  json leaks = json::array();
  for (const verdict::Leak& leak : target.leaks) leaks.push_back(leak_json(report, target, leak));
  return {{"pid", target.pid},
          {"app", target.app},
          {"exe", target.exe},
          {"go_version", target.go_version},
          {"up", target.up},
          {"last_error", target.last_error},
          {"mode", verdict::to_string(target.mode)},
          {"mode_reason", target.mode_reason},
          {"wakes_watched_seconds", std::chrono::duration<double>(target.wakes_watched).count()},
          {"goroutines", target.snapshot_taken ? json(target.goroutines) : json()},
          {"resident_bytes", known(target.facts.resident_bytes)},
          {"memory_limit_bytes", known(target.facts.memory_limit_bytes)},
          {"leaks", std::move(leaks)}};
}

}  // namespace

json leaks_json(const verdict::Report& report, std::optional<int> pid) {
  json document = document_of(report);
  document["targets"] = json::array();
  for (const verdict::TargetReport& target : report.targets) {
    if (!pid || *pid == target.pid) document["targets"].push_back(target_json(report, target));
  }
  document["unsupported"] = json::array();
  for (const verdict::UnsupportedReport& process : report.unsupported) {
    if (!pid || *pid == process.pid) document["unsupported"].push_back(to_json(process));
  }
  return document;
}

}  // namespace goleakd::text
