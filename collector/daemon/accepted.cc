// SPDX-License-Identifier: Apache-2.0
#include "daemon/accepted.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/day.h"
#include "text/layout.h"

namespace goleakd::daemon {
namespace {

using nlohmann::json;

// YAML takes a JSON text as it is. Bytes that are not UTF-8 become U+FFFD.
std::string quoted(const std::string& text) { return json(text).dump(-1, ' ', false, json::error_handler_t::replace); }

// A glob that matches the name, which a program chooses as it likes: what can't stand in one is left open. The leak's
// id stands for one service anyway. Empty: nothing of it can.
std::string service_glob(std::string name) {
  for (char& c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ' || byte >= 0x7f) c = '*';
  }
  if (name.starts_with(' ')) name.front() = '*';
  if (name.ends_with(' ')) name.back() = '*';
  return std::ranges::all_of(name, [](char c) { return c == '*'; }) ? std::string() : name;
}

std::string place(const json& at) {
  return at.at("function").get<std::string>() + "  " + at.at("file").get<std::string>() + ":" +
         std::to_string(at.at("line").get<int>());
}

AcceptedLeak accepted_leak(const std::string& service, const json& leak) {
  return {.service = service,
          .id = leak.at("id"),
          .started = place(leak.at("creation")),
          .stuck = place(leak.at("blocked")) + "  [" + leak.at("blocked").at("reason").get<std::string>() + "]",
          .evidence = leak.at("evidence"),
          .cause = leak.at("cause"),
          .count = leak.at("count"),
          .peak = leak.at("peak"),
          .growth_per_hour = leak.at("growth_per_hour")};
}

void add(std::map<std::pair<std::string, std::string>, AcceptedLeak>& known, AcceptedLeak leak) {
  const auto [at, fresh] = known.try_emplace({leak.service, leak.id}, leak);
  if (fresh) return;
  AcceptedLeak& other = at->second;  // of another process of the service
  other.count = std::max(other.count, leak.count);
  other.peak = std::max(other.peak, leak.peak);
  other.growth_per_hour = std::max(other.growth_per_hour, leak.growth_per_hour);
}

std::string rule(const AcceptedLeak& leak, const Acceptance& acceptance) {
  const std::uint64_t up_to = acceptance.up_to.value_or(leak.peak);
  std::string text = "\n";
  text += "  # " + text::printable(leak.evidence + ", " + leak.cause) + "; " + std::to_string(leak.count) +
          " goroutines then, " + std::to_string(leak.peak) + " at most\n";
  text += "  # started   " + text::printable(leak.started) + "\n";
  text += "  # stuck in  " + text::printable(leak.stuck) + "\n";
  text += "  - reason: " + quoted(acceptance.reason) + "\n";
  if (const std::string service = service_glob(leak.service); !service.empty()) {
    text += "    service: " + quoted(service) + "\n";
  }
  text += "    leak: " + quoted(leak.id) + "\n";
  text += "    up_to: " + std::to_string(up_to) + "\n";
  text += "    accepted: " + format_day(std::chrono::floor<std::chrono::days>(acceptance.at)) + "\n";
  if (acceptance.until) text += "    until: " + format_day(*acceptance.until) + "\n";
  return text;
}

}  // namespace

Result<std::vector<AcceptedLeak>> accepted_leaks(const std::string& answer, const std::vector<std::string>& ids) {
  std::map<std::pair<std::string, std::string>, AcceptedLeak> known;
  try {  // the daemon may be of another version
    const json document = json::parse(answer);
    for (const json& target : document.at("targets")) {
      for (const json& leak : target.at("leaks")) {
        const bool told = leak.at("stage") == "leaking" && leak.at("ignored").is_null();
        const bool wanted = ids.empty() || std::ranges::find(ids, leak.at("id").get<std::string>()) != ids.end();
        if (told && wanted) add(known, accepted_leak(target.at("app"), leak));
      }
    }
  } catch (const json::exception& e) {
    return fail(ErrorKind::invalid, std::string("the daemon's answer is not understood: ") + e.what());
  }
  std::vector<AcceptedLeak> leaks;
  leaks.reserve(known.size());
  for (auto& [key, leak] : known) leaks.push_back(std::move(leak));
  for (const std::string& id : ids) {
    if (std::ranges::find(leaks, id, &AcceptedLeak::id) == leaks.end()) {
      return fail(ErrorKind::invalid, "there is no leak " + id + " now; `goleakd leaks` shows those that there are");
    }
  }
  return leaks;
}

std::string accepted_rules(const std::vector<AcceptedLeak>& leaks, const Acceptance& acceptance) {
  std::string text =
      "# Goroutine leaks that were accepted on " + format_utc(acceptance.at) +
      " (goleakd accept).\n"
      "# Each is left alone as long as no process of its service has had more of its goroutines than `up_to`;"
      " beyond that\n"
      "# it is told of again, as if its rule were not here. To have it told of at once, take the rule out "
      "(or this file\n"
      "# away) and let goleakd load its configuration again: systemctl reload goleakd\n"
      "ignore:\n";
  for (const AcceptedLeak& leak : leaks) text += rule(leak, acceptance);
  return text;
}

}  // namespace goleakd::daemon
