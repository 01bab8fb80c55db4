// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace goleakd::http {

// Where to listen for TCP.
struct ListenAddress {
  std::string host;  // an IP address without brackets
  std::uint16_t port = 0;
  bool ipv6 = false;
  bool loopback = false;  // only processes of this host can reach it

  std::string to_string() const;  // "127.0.0.1:9979", "[::1]:9979"
};

// "127.0.0.1:9979", "localhost:9979", "[::1]:9979", or ":9979" for every IPv4 address of the host. Other names are
// refused: what they stand for can change, and with it who may read what programs do.
Result<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace goleakd::http
