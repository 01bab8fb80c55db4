// SPDX-License-Identifier: Apache-2.0
#include "http/server.h"

#include "http/listen_address.h"

namespace goleakd::http {

Result<std::unique_ptr<Server>> Server::make(const Options& options, std::function<verdict::ReportPtr()> report) {
  std::unique_ptr<Server> server(new Server(std::move(report), options.sites_per_app));
  if (!options.listen.empty()) {
    const Result<ListenAddress> address = parse_listen_address(options.listen);
    if (!address) return fail(address.error());
    Result<std::unique_ptr<TcpListener>> tcp = TcpListener::make(*address, server->routes_);
    if (!tcp) return fail(tcp.error());
    server->tcp_ = std::move(*tcp);
  }
  if (!options.socket.empty()) {
    Result<std::unique_ptr<UnixListener>> socket = UnixListener::make(options.socket, server->routes_);
    if (!socket) return fail(socket.error());
    server->unix_ = std::move(*socket);
  }
  return server;
}

}  // namespace goleakd::http
