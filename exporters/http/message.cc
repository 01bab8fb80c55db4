// SPDX-License-Identifier: Apache-2.0
#include "http/message.h"

#include <algorithm>

namespace goleakd::http {
namespace {

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 503:
      return "Service Unavailable";
    default:
      return "Error";
  }
}

}  // namespace

std::string response_head(const Response& response) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " " + std::string(reason_of(response.status)) +
                     "\r\nContent-Type: " + response.content_type +
                     "\r\nContent-Length: " + std::to_string(response.body.size()) + "\r\nConnection: close\r\n";
  // Bodies hold names that others choose; no browser shall guess that one is a page.
  head += "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n";
  if (response.status == 405) head += "Allow: GET, HEAD\r\n";
  return head + "\r\n";
}

Request parse_request(std::string_view head) {
  const std::string_view line = head.substr(0, head.find_first_of("\r\n"));
  const std::size_t method_end = line.find(' ');
  const std::size_t target_end = line.rfind(' ');
  if (method_end == std::string_view::npos || target_end <= method_end) return {};
  if (!line.substr(target_end + 1).starts_with("HTTP/1.")) return {};
  const std::string_view target = line.substr(method_end + 1, target_end - method_end - 1);
  if (!target.starts_with('/')) return {};
  const std::size_t path_end = std::min(target.find('?'), target.size());
  return {.method = line.substr(0, method_end),
          .path = target.substr(0, path_end),
          .query = target.substr(std::min(target.size(), path_end + 1))};
}

}  // namespace goleakd::http
