// SPDX-License-Identifier: Apache-2.0
#include "text/dump_json.h"

#include <array>
#include <cstdio>

#include "text/json.h"

namespace goleakd::text {
namespace {

using nlohmann::json;

json frame_json(const ledger::TracebackFrame& frame) {
  json j = to_json(frame.frame);
  j["inlined"] = frame.inlined;
  j["pc_offset"] = frame.pc_offset;
  return j;
}

json object_json(const ledger::WaitObject& object) {
  // Text, because JSON readers hold numbers as doubles and an address must stay exact to tell objects apart.
  std::array<char, 24> address{};
  std::snprintf(address.data(), address.size(), "0x%llx", static_cast<unsigned long long>(object.address));
  return {
      {"address", address.data()}, {"length", object.length}, {"capacity", object.capacity}, {"closed", object.closed}};
}

json goroutine_json(const ledger::GoroutineDump& g) {
  json frames = json::array();
  for (const ledger::TracebackFrame& frame : g.frames) frames.push_back(frame_json(frame));
  return {{"id", g.goid},
          {"parent", g.parent},
          {"state", g.state},
          {"waiting_minutes", g.waiting_minutes},
          {"locked_to_thread", g.locked_to_thread},
          {"system", g.system},
          {"frames", std::move(frames)},
          {"stack_missing", g.stack_missing},
          {"created_by", g.created_by ? frame_json(*g.created_by) : json()},
          {"waits_on", g.object ? object_json(*g.object) : json()}};
}

}  // namespace

json dump_json(const ledger::ProcessDump& dump) {
  json goroutines = json::array();
  for (const ledger::GoroutineDump& g : dump.goroutines) goroutines.push_back(goroutine_json(g));
  return {{"pid", dump.pid},
          {"exe", dump.exe},
          {"go_version", dump.go_version},
          {"torn", dump.torn},
          {"goroutines", std::move(goroutines)}};
}

}  // namespace goleakd::text
