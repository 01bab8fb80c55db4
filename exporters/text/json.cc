// SPDX-License-Identifier: Apache-2.0
#include "text/json.h"

namespace goleakd::text {

using nlohmann::json;

std::string to_text(const json& document) {
  return document.dump(2, ' ', /*ensure_ascii=*/false, json::error_handler_t::replace) + "\n";
}

json document_of(const verdict::Report& report) {
  return {{"version", report.version}, {"at", wall_time(report, report.at)}};
}

json wall_time(const verdict::Report& report, std::optional<Instant> time) {
  return time ? json(report.wall.unix_seconds(*time)) : json();
}

json to_json(const ledger::Frame& frame) {
  return {{"function", frame.function}, {"file", frame.file}, {"line", frame.line}};
}

json frames_json(const std::vector<ledger::Frame>& frames) {
  json list = json::array();
  for (const ledger::Frame& frame : frames) list.push_back(to_json(frame));
  return list;
}

json to_json(const ledger::CreationSite& site) {
  return {{"function", site.function},
          {"ordinal", site.ordinal},
          {"file", site.file},
          {"line", site.line},
          {"entry", site.entry}};
}

json to_json(const verdict::UnsupportedReport& process) {
  return {{"pid", process.pid}, {"exe", process.exe}, {"reason", process.reason}, {"kind", process.kind}};
}

}  // namespace goleakd::text
