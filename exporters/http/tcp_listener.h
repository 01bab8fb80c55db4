// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CivetServer.h>

#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "http/listen_address.h"
#include "http/routes.h"

namespace goleakd::http {

// Serves `routes` on one TCP address with civetweb, from its own few threads, until it is destroyed.
class TcpListener {
 public:
  // `routes` must outlive the listener. Errors: `system` when the address cannot be had, `unsupported` for IPv6 where
  // civetweb was built without it (Debian 12).
  static Result<std::unique_ptr<TcpListener>> make(const ListenAddress& address, const Routes& routes);

  // The port, also where the address left its choice to the kernel (0).
  int port() const { return server_->getListeningPorts().front(); }

 private:
  TcpListener(bool trusted, const Routes& routes) : trusted_(trusted), routes_(routes) {}

  static int on_request(mg_connection* connection);
  static int on_message(const mg_connection* connection, const char* message);
  static TcpListener& of(const mg_connection* connection);

  bool trusted_;
  const Routes& routes_;
  std::mutex mutex_;
  std::string first_message_;  // of civetweb: why it does not start
  std::unique_ptr<CivetServer> server_;
};

}  // namespace goleakd::http
