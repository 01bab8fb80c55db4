// SPDX-License-Identifier: Apache-2.0
#include "text/dump_json.h"

#include <string_view>

#include "base/hex.h"
#include "text/json.h"
#include "text/object.h"

namespace goleakd::text {
namespace {

using nlohmann::json;

json frame_json(const ledger::TracebackFrame& frame) {
  json j = to_json(frame.frame);
  j["inlined"] = frame.inlined;
  j["hidden"] = frame.hidden;
  j["pc"] = hex(frame.pc);
  j["pc_offset"] = frame.pc_offset;
  return j;
}

json created_by_json(const ledger::TracebackFrame& frame) {
  json j = to_json(frame.frame);
  j["pc_offset"] = frame.pc_offset;
  return j;
}

std::string one_line(const json& j) { return j.dump(-1, ' ', /*ensure_ascii=*/false, json::error_handler_t::replace); }

}  // namespace

json goroutine_json(const ledger::GoroutineDump& g) {
  json frames = json::array();
  for (const ledger::TracebackFrame& frame : g.frames) frames.push_back(frame_json(frame));
  json labels = json::object();
  for (const auto& [key, value] : g.labels) labels[key] = value;
  return {{"id", g.goid},
          {"parent", g.parent},
          {"state", g.state},
          {"waiting_minutes", g.waiting_minutes},
          {"locked_to_thread", g.locked_to_thread},
          {"system", g.system},
          {"frames", std::move(frames)},
          {"stack_missing", g.stack_missing},
          {"started", g.started},
          {"created_by", g.created_by ? created_by_json(*g.created_by) : json()},
          {"waits_on", g.object ? object_json(*g.object) : json()},
          {"labels", std::move(labels)}};
}

DumpJson::DumpJson(const ledger::ProcessDump& process, const std::string& version, Of of, ledger::Output output)
    : output_(std::move(output)) {
  std::string head = to_text({{"version", version},
                              {"pid", process.pid},
                              {"exe", process.exe},
                              {"build_id", process.build_id},
                              {"go_version", process.go_version},
                              {"torn", process.torn}});
  head.resize(head.rfind("\n}"));  // it goes on
  output_(head + (of == Of::groups ? ",\n  \"groups\": [" : ",\n  \"goroutines\": ["));
}

void DumpJson::element(const json& element) {
  output_((first_ ? "\n    " : ",\n    ") + one_line(element));
  first_ = false;
}

void DumpJson::goroutine(const ledger::GoroutineDump& g) { element(goroutine_json(g)); }

void DumpJson::group(const ledger::GoroutineGroup& group, const ledger::GoroutineDump& example) {
  element({{"count", group.goids.size()},
           {"title", group.title},
           {"goroutines", group.goids},
           {"example", goroutine_json(example)}});
}

Result<void> DumpJson::end(std::uint64_t left_out) {
  output_("\n  ],\n  \"left_out\": " + std::to_string(left_out) + "\n}\n");
  return {};
}

}  // namespace goleakd::text
