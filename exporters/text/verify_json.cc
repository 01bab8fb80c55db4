// SPDX-License-Identifier: Apache-2.0
#include "text/verify_json.h"

#include <string>

#include "text/dump_json.h"
#include "text/json.h"

namespace goleakd::text {
namespace {

using nlohmann::json;
using verify::Leak;
using verify::Program;

const char* word(Program::Outcome outcome) {
  switch (outcome) {
    case Program::Outcome::judged:
      return "judged";
    case Program::Outcome::failed:
      return "failed";
    case Program::Outcome::killed:
      return "killed";
    case Program::Outcome::unreadable:
      return "unreadable";
  }
  return "";
}

json frame_json(const std::optional<ledger::Frame>& frame) { return frame ? to_json(*frame) : json(); }

json leak_json(const Leak& leak) {
  return {{"count", leak.count},
          {"accepted", leak.accepted},
          {"test", leak.test.empty() ? json() : json(leak.test)},
          {"test_known_by", std::string(verify::to_string(leak.known_by))},
          {"created", frame_json(leak.created)},
          {"started", leak.example.started},
          {"blocked", frame_json(leak.blocked)},
          {"state", leak.example.state},
          {"wait", std::string(ledger::to_string(leak.wait))},
          {"goroutines", leak.goids},
          {"example", goroutine_json(leak.example)}};
}

json program_json(const Program& program) {
  json leaks = json::array();
  for (const Leak& leak : program.left.leaks) leaks.push_back(leak_json(leak));
  return {{"pid", program.pid},
          {"exe", program.exe},
          {"package", program.package},
          {"tests_of", program.tests_of.empty() ? json() : json(program.tests_of)},
          {"go_version", program.go_version},
          {"status", program.status},
          {"outcome", word(program.outcome)},
          {"reason", program.reason},
          {"waited_seconds", std::chrono::duration<double>(program.waited).count()},
          {"leaked", program.left.leaked()},
          {"ignored", program.left.ignored},
          {"could_not_run", program.left.could_not_run},
          {"leaks", leaks}};
}

}  // namespace

json verify_json(const verify::Report& report, int exit_code) {
  json programs = json::array();
  for (const Program& program : report.programs) programs.push_back(program_json(program));
  return {{"version", report.version},
          {"command", report.command},
          {"status", report.end.signal == 0 ? json(report.end.status) : json()},
          {"signal", report.end.signal == 0 ? json() : json(report.end.signal)},
          {"exit_code", exit_code},
          {"settle_seconds", std::chrono::duration<double>(report.settle).count()},
          {"leaked", report.leaked()},
          {"not_selected", report.not_selected},
          {"still_running", report.still_running},
          {"programs", programs}};
}

}  // namespace goleakd::text
