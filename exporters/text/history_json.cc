// SPDX-License-Identifier: Apache-2.0
#include "text/history_json.h"

#include "text/json.h"
#include "verdict/leak.h"

namespace goleakd::text {
namespace {

using nlohmann::json;

json version_json(const history::Version& version) {
  return {{"name", version.name()},
          {"build_id", version.build_id},
          {"go_version", version.go_version},
          {"module", version.module},
          {"module_version", version.module_version},
          {"first_seen", version.first_seen},
          {"last_seen", version.last_seen},
          {"watched_seconds", version.watched}};
}

json change_json(const history::Change& change) {
  return {{"at", change.at},
          {"stage", history::to_string(change.stage)},
          {"severity", change.severity},
          {"evidence", change.evidence},
          {"cause", change.cause},
          {"count", change.count}};
}

json count_json(const history::Count& count) {
  return {{"at", count.at}, {"seconds", count.seconds}, {"mean", count.mean}, {"most", count.most}};
}

template <typename T>
json list_of(const std::vector<T>& items, json (*of)(const T&)) {
  json list = json::array();
  for (const T& item : items) list.push_back(of(item));
  return list;
}

json leak_json(const history::LifeCycle& leak) {
  const verdict::Cause cause = verdict::cause_of(leak.cause);
  return {{"id", leak.id},
          {"site_id", leak.site_id},
          {"app", leak.service},
          {"there", leak.stage == history::LifeStage::leaking},
          {"stage", history::to_string(leak.stage)},
          {"severity", leak.severity},
          {"evidence", leak.evidence},
          {"reasoning", leak.reasoning},
          {"ignored", leak.ignored.empty() ? json() : json(leak.ignored)},
          {"cause", leak.cause},
          {"explanation", verdict::explain(cause)},
          {"advice", verdict::advise(cause)},
          {"count", leak.count},
          {"peak", leak.peak},
          {"bytes", leak.bytes},
          {"first_seen", leak.first_seen},
          {"last_seen", leak.last_seen},
          {"processes", leak.processes},
          {"since", leak.versions.empty() ? json() : version_json(leak.versions.front())},
          {"before", leak.before ? version_json(*leak.before) : json()},
          {"versions", list_of(leak.versions, version_json)},
          {"changes", list_of(leak.changes, change_json)},
          {"counts", list_of(leak.counts, count_json)},
          {"creation", to_json(leak.creation)},
          {"blocked",
           {{"function", leak.function},
            {"file", leak.file},
            {"line", leak.line},
            {"wait", leak.wait},
            {"reason", leak.reason}}}};
}

json slow_leak_json(const history::SlowLeak& leak) {
  return {{"app", leak.service},          {"site_id", leak.site_id},     {"creation", to_json(leak.creation)},
          {"processes", leak.trend.runs}, {"rising", leak.trend.rising}, {"growth_per_hour", leak.trend.per_hour},
          {"start", leak.trend.start},    {"rise", leak.trend.rise},     {"leaks", leak.leaks}};
}

}  // namespace

json history_json(const history::View& view, history::Seconds now, const std::string& version) {
  return {{"version", version},
          {"at", now},
          {"path", view.path},
          {"written", view.written ? json(*view.written) : json()},
          {"leaks", list_of(view.leaks, leak_json)},
          {"slow_leaks", list_of(view.slow_leaks, slow_leak_json)},
          {"deleted", view.lost}};
}

}  // namespace goleakd::text
