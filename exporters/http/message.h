// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "http/routes.h"

namespace goleakd::http {

// The head of an HTTP response, its empty line included. The connection is always closed after a response.
std::string response_head(const Response& response);

// What the head of a request asks for, "GET /path?query HTTP/1.1\r\n…": views into `head`. An empty method: not HTTP.
Request parse_request(std::string_view head);

}  // namespace goleakd::http
