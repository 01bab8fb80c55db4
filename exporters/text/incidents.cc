// SPDX-License-Identifier: Apache-2.0
#include "text/incidents.h"

#include "text/json.h"
#include "text/layout.h"

namespace goleakd::text {
namespace {

using nlohmann::json;

std::string cause(const verdict::Incident& incident) {
  switch (incident.death) {
    case verdict::Death::panic:
      return incident.kind.empty() ? "died of a panic" : "died of a panic with a " + printable(incident.kind);
    case verdict::Death::fatal:
      return "died of a fatal error";
    case verdict::Death::out_of_memory:
      return "killed by the kernel: out of memory";
  }
  return "died";
}

json last_look_json(const verdict::Report& report, const verdict::LastLook& look) {
  json sites = json::array();
  for (const verdict::LastLook::Site& site : look.sites) {
    json j = to_json(site.site);
    j["live"] = site.live;
    j["bytes"] = site.bytes;
    sites.push_back(std::move(j));
  }
  return {{"at", wall_time(report, look.at)}, {"goroutines", look.goroutines}, {"sites", std::move(sites)}};
}

json incident_json(const verdict::Report& report, const verdict::Incident& incident) {
  return {{"number", incident.number},
          {"death", verdict::to_string(incident.death)},
          {"at", wall_time(report, incident.at)},
          {"pid", incident.pid},
          {"app", incident.app},
          {"exe", incident.exe},
          {"go_version", incident.go_version},
          {"goroutine", incident.goid == 0 ? json() : json(incident.goid)},
          {"kind", incident.kind},
          {"text", incident.text},
          {"cut", incident.cut},
          {"function", incident.where.function},
          {"file", incident.where.file},
          {"line", incident.where.line},
          {"stack", frames_json(incident.stack)},
          {"last_look", incident.last_look ? last_look_json(report, *incident.last_look) : json()}};
}

json site_json(const verdict::Report& report, const verdict::PanicSite& site) {
  return {{"kind", site.kind},
          {"function", site.function},
          {"file", site.file},
          {"line", site.line},
          {"text", site.text},
          {"stack", frames_json(site.stack)},
          {"panics", site.panics},
          {"recovered", site.recovered},
          {"first_at", wall_time(report, site.first_at)},
          {"last_at", wall_time(report, site.last_at)}};
}

}  // namespace

std::string incident_line(const verdict::Incident& incident) {
  std::string line = printable(incident.app) + " (pid " + std::to_string(incident.pid) + "): " + cause(incident);
  if (const ledger::Frame& at = incident.where; !at.function.empty()) {
    line += " in " + printable(at.function);
    if (const std::string where = location(at.file, at.line); !where.empty()) line += " (" + printable(where) + ")";
  }
  if (!incident.text.empty()) line += ": " + printable(incident.text) + (incident.cut ? "..." : "");
  if (incident.last_look)
    line += "; it had " + std::to_string(incident.last_look->goroutines) + " goroutines when last seen";
  return line;
}

json incidents_json(const verdict::Report& report) {
  json document = document_of(report);
  document["oom_kills_unavailable"] = report.oom_kills_unavailable;
  document["incidents"] = json::array();
  for (const verdict::Incident& incident : report.incidents) {
    document["incidents"].push_back(incident_json(report, incident));
  }
  json& totals = document["totals"] = json::object();
  for (const auto& [app, deaths] : report.incident_totals) {
    for (const auto& [death, number] : deaths) totals[app][std::string(verdict::to_string(death))] = number;
  }
  document["uncounted"] = report.incidents_uncounted;
  return document;
}

json panics_json(const verdict::Report& report) {
  json document = document_of(report);
  document["targets"] = json::array();
  for (const verdict::TargetReport& target : report.targets) {
    const verdict::PanicsReport& panics = target.panics;
    json sites = json::array();
    for (const verdict::PanicSite& site : panics.sites) sites.push_back(site_json(report, site));
    document["targets"].push_back({{"pid", target.pid},
                                   {"app", target.app},
                                   {"attached", panics.attached},
                                   {"not_attached", panics.not_attached},
                                   {"panics", panics.panics},
                                   {"recovered", panics.recovered},
                                   {"unattributed", panics.unattributed},
                                   {"sites", std::move(sites)}});
  }
  return document;
}

}  // namespace goleakd::text
