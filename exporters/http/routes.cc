// SPDX-License-Identifier: Apache-2.0
#include "http/routes.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <charconv>
#include <exception>
#include <iterator>
#include <map>
#include <optional>

#include "base/result.h"
#include "prometheus/process_collectable.h"
#include "text/incidents.h"
#include "text/json.h"
#include "text/leaks_json.h"
#include "text/leaks_text.h"
#include "text/report_json.h"

namespace goleakd::http {
namespace {

using verdict::Report;

constexpr std::string_view kIndex =
    "goleakd finds goroutine leaks in the Go processes of this host.\n"
    "\n"
    "/api/v1/leaks     leaks of every process (?pid=PID of one, ?format=text for people)\n"
    "/api/v1/sites     go statements and how many goroutines of each are alive\n"
    "/api/v1/targets   processes, and how each is watched\n"
    "/api/v1/incidents what processes have died of\n"
    "/api/v1/panics    where processes panic, and recover\n"
    "/metrics          for Prometheus\n"
    "/-/healthy        200 while this server answers\n"
    "/-/ready          200 once this host has been looked at\n";

Response plain(int status, std::string_view body) { return {.status = status, .body = std::string(body)}; }

Response json(const nlohmann::json& document) {
  return {.content_type = "application/json", .body = text::to_text(document)};
}

// The value of `key` in a query. Nothing of what is asked for here needs decoding.
std::optional<std::string_view> parameter(std::string_view query, std::string_view key) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (pair.substr(0, equals) == key) return pair.substr(std::min(pair.size(), equals + 1));
  }
  return std::nullopt;
}

bool knows(const Report& report, int pid) {
  const auto is_it = [pid](const auto& process) { return process.pid == pid; };
  return std::any_of(report.targets.begin(), report.targets.end(), is_it) ||
         std::any_of(report.unsupported.begin(), report.unsupported.end(), is_it);
}

Response leaks(const Report& report, std::string_view query) {
  std::optional<int> pid;
  if (const auto word = parameter(query, "pid")) {
    int number = 0;
    const auto [end, code] = std::from_chars(word->data(), word->data() + word->size(), number);
    if (code != std::errc() || end != word->data() + word->size()) return plain(400, "pid must be a number\n");
    if (!knows(report, number)) {
      return plain(404, "pid " + std::to_string(number) + " is not a Go process that goleakd watches\n");
    }
    pid = number;
  }
  const std::string_view format = parameter(query, "format").value_or("json");
  if (format == "json") return json(text::leaks_json(report, pid));
  if (format == "text") return plain(200, text::leaks_text(report, {.pid = pid}));
  return plain(400, "format must be text or json\n");
}

bool is_public(std::string_view path) { return path == "/metrics" || path == "/-/healthy" || path == "/-/ready"; }

}  // namespace

Routes::Routes(std::function<verdict::ReportPtr()> report, std::size_t sites_per_app) : report_(std::move(report)) {
  auto reports =
      std::make_unique<prometheus::ReportCollectable>(report_, prometheus::SiteLimits{.per_app = sites_per_app});
  reports_ = reports.get();
  collectables_.push_back(std::move(reports));
  collectables_.push_back(std::make_unique<prometheus::ProcessCollectable>());
}

// Whoever calls is C code or a thread's end: nothing may be thrown through it.
Response Routes::answer(const Request& request) const {
  try {
    return route(request);
  } catch (const std::exception& e) {
    return plain(500, std::string(e.what()) + "\n");
  }
}

Response Routes::route(const Request& request) const {
  if (request.method != "GET" && request.method != "HEAD") return plain(405, "only GET and HEAD are served\n");
  if (!request.trusted && !is_public(request.path)) {
    return plain(
        403,
        "Only /metrics, /-/healthy and /-/ready are served here, because this address can be reached from other "
        "hosts and the rest shows what programs do. Ask through the unix socket of goleakd (curl --unix-socket "
        "/run/goleakd/goleakd.sock http://localhost/api/v1/leaks), or let goleakd listen on a loopback address.\n");
  }
  if (request.path == "/metrics") return metrics();
  if (request.path == "/-/healthy") return plain(200, "healthy\n");
  if (request.path == "/-/ready") return ready();
  if (request.path == "/") return plain(200, kIndex);

  using Page = Response (*)(const Report&, std::string_view query);
  static const std::map<std::string_view, Page> kOfReport{
      {"/api/v1/leaks", [](const Report& report, std::string_view query) { return leaks(report, query); }},
      {"/api/v1/sites", [](const Report& report, std::string_view) { return json(text::sites_json(report)); }},
      {"/api/v1/targets", [](const Report& report, std::string_view) { return json(text::targets_json(report)); }},
      {"/api/v1/incidents", [](const Report& report, std::string_view) { return json(text::incidents_json(report)); }},
      {"/api/v1/panics", [](const Report& report, std::string_view) { return json(text::panics_json(report)); }}};
  const auto page = kOfReport.find(request.path);
  if (page == kOfReport.end()) return plain(404, "no such page; / lists what there is\n");
  const verdict::ReportPtr report = report_();
  return report == nullptr ? ready() : page->second(*report, request.query);
}

Response Routes::metrics() const {
  std::vector<::prometheus::MetricFamily> families;
  for (const auto& collectable : collectables_) {
    auto more = collectable->Collect();
    std::move(more.begin(), more.end(), std::back_inserter(families));
  }
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
          .body = ::prometheus::TextSerializer().Serialize(families)};
}

Response Routes::ready() const {
  if (report_() == nullptr)
    return plain(503, "not ready: the first look at the processes of this host is not finished\n");
  return plain(200, "ready\n");
}

}  // namespace goleakd::http
