// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "http/routes.h"
#include "http/tcp_listener.h"
#include "http/unix_listener.h"
#include "verdict/report.h"

namespace goleakd::http {

struct Options {
  std::string listen = "127.0.0.1:9979";  // listen_address.h says what can stand here; empty: no TCP
  std::string socket;                     // path of the unix socket; empty: none
  std::size_t sites_per_app = 50;         // that have series in /metrics
};

// The daemon's HTTP server: /metrics, health and the API, on a TCP address and a unix socket, from its own threads,
// until it is destroyed. What shows other people's programs is served over the socket and through loopback only.
class Server {
 public:
  // `report` gives the newest Report, null before the first. It is called from several threads at once.
  // Errors say which address or path, and what to do.
  static Result<std::unique_ptr<Server>> make(const Options& options, std::function<verdict::ReportPtr()> report);

  // How many creation sites of one app have series from now on.
  void limit_sites(std::size_t per_app) { routes_.limit_sites(per_app); }

  // The TCP port; tells what the kernel chose when `listen` had port 0. 0 without TCP.
  int port() const { return tcp_ ? tcp_->port() : 0; }

 private:
  Server(std::function<verdict::ReportPtr()> report, std::size_t sites_per_app)
      : routes_(std::move(report), sites_per_app) {}

  Routes routes_;  // first, because the listeners' threads use it until they are gone
  std::unique_ptr<TcpListener> tcp_;
  std::unique_ptr<UnixListener> unix_;
};

}  // namespace goleakd::http
