// SPDX-License-Identifier: Apache-2.0
#include "http/listen_address.h"

#include <arpa/inet.h>

#include <charconv>

namespace goleakd::http {

std::string ListenAddress::to_string() const { return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port); }

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const auto bad = [&] {
    return fail(ErrorKind::invalid, "\"" + std::string(text) +
                                        "\" is not an address to listen on; write an IP address and a port: "
                                        "127.0.0.1:9979, [::1]:9979, or :9979 for every address");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad();
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);

  ListenAddress address;
  const auto [end, code] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (code != std::errc() || end != port.data() + port.size()) return bad();

  if (host.empty()) host = "0.0.0.0";
  if (host == "localhost") host = "127.0.0.1";
  if (host.starts_with('[') && host.ends_with(']')) {
    address.ipv6 = true;
    host = host.substr(1, host.size() - 2);
  }
  address.host = host;
  if (address.ipv6) {
    in6_addr ip{};
    if (inet_pton(AF_INET6, address.host.c_str(), &ip) != 1) return bad();
    address.loopback = IN6_IS_ADDR_LOOPBACK(&ip);
  } else {
    in_addr ip{};
    if (inet_pton(AF_INET, address.host.c_str(), &ip) != 1) return bad();
    address.loopback = (ntohl(ip.s_addr) >> 24U) == 127;
  }
  return address;
}

}  // namespace goleakd::http
