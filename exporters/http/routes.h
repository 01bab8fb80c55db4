// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <prometheus/collectable.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "prometheus/report_collectable.h"
#include "verdict/report.h"

namespace goleakd::http {

struct Request {
  std::string_view method;
  std::string_view path;   // without the query
  std::string_view query;  // behind the '?', still encoded
  // Whoever asks may see what other people's programs do: came over the unix socket or through a loopback listener.
  bool trusted = false;
};

struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

// What is served, whatever way the request came. Safe to call from several threads.
class Routes {
 public:
  // sites_per_app: how many creation sites of one app have series in /metrics.
  explicit Routes(std::function<verdict::ReportPtr()> report, std::size_t sites_per_app = 50);

  // From the next scrape on.
  void limit_sites(std::size_t per_app) { reports_->limit_sites(per_app); }

  Response answer(const Request& request) const;

 private:
  Response route(const Request& request) const;
  Response metrics() const;
  Response ready() const;

  std::function<verdict::ReportPtr()> report_;
  prometheus::ReportCollectable* reports_ = nullptr;  // one of these:
  std::vector<std::unique_ptr<::prometheus::Collectable>> collectables_;
};

}  // namespace goleakd::http
