// SPDX-License-Identifier: Apache-2.0
#include "http/tcp_listener.h"

#include <vector>

#include "http/message.h"

namespace goleakd::http {

Result<std::unique_ptr<TcpListener>> TcpListener::make(const ListenAddress& address, const Routes& routes) {
  if (address.ipv6 && mg_check_feature(MG_FEATURES_IPV6) == 0) {
    return fail(ErrorKind::unsupported, "cannot listen on " + address.to_string() +
                                            ": the civetweb library of this system has no IPv6; use an IPv4 address");
  }
  std::unique_ptr<TcpListener> listener(new TcpListener(address.loopback, routes));
  const std::vector<std::string> options{
      "listening_ports",    address.to_string(),  //
      "num_threads",        "4",                  //
      "request_timeout_ms", "5000",               // a client that neither asks nor reads holds a thread no longer
      "enable_keep_alive",  "no",                 // nor does an idle one
  };
  CivetCallbacks callbacks;
  // A callback and not a CivetHandler: there is no moment at which civetweb would answer by itself, with files or
  // scripts.
  callbacks.begin_request = on_request;
  callbacks.log_message = on_message;
  try {
    listener->server_ = std::make_unique<CivetServer>(options, &callbacks, listener.get());
  } catch (const CivetException&) {
    return fail(ErrorKind::system, "cannot listen on " + address.to_string() + " (" + listener->first_message_ +
                                       "); free it (ss -ltnp shows who has it) or give goleakd another address");
  }
  return listener;
}

TcpListener& TcpListener::of(const mg_connection* connection) {
  const auto* server = static_cast<const CivetServer*>(mg_get_user_data(mg_get_context(connection)));
  return *static_cast<TcpListener*>(const_cast<void*>(server->getUserContext()));
}

int TcpListener::on_request(mg_connection* connection) {
  const mg_request_info& info = *mg_get_request_info(connection);
  const TcpListener& listener = of(connection);
  const Response response = listener.routes_.answer({.method = info.request_method,
                                                     .path = info.local_uri,
                                                     .query = info.query_string != nullptr ? info.query_string : "",
                                                     .trusted = listener.trusted_});
  mg_disable_connection_keep_alive(connection);  // or civetweb would read the rest of the request, however long
  const std::string head = response_head(response);
  mg_write(connection, head.data(), head.size());
  if (std::string_view(info.request_method) != "HEAD") mg_write(connection, response.body.data(), response.body.size());
  return response.status;
}

int TcpListener::on_message(const mg_connection* connection, const char* message) {
  TcpListener& listener = of(connection);
  const std::lock_guard lock(listener.mutex_);
  if (listener.first_message_.empty()) listener.first_message_ = message;
  return 1;  // not to a file as well
}

}  // namespace goleakd::http
