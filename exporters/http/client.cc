// SPDX-License-Identifier: Apache-2.0
#include "http/client.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/unique_fd.h"
#include "http/unix_socket.h"

namespace goleakd::http {
namespace {

constexpr std::chrono::seconds kPatience{30};
constexpr std::size_t kMaxAnswer = std::size_t{1} << 30U;

Error connect_error(int number, const std::string& socket) {
  switch (number) {
    case ENOENT:
    case ECONNREFUSED:
      return {ErrorKind::not_found, "no goleakd is running on this host (nobody listens on " + socket + ")"};
    case EACCES:
      return {ErrorKind::permission, "this user may not use " + socket + ": become root or join the group goleakd"};
    default:
      return Error::from_errno(number, "connecting to " + socket);
  }
}

ErrorKind kind_of(int status) {
  switch (status) {
    case 400:
      return ErrorKind::invalid;
    case 403:
      return ErrorKind::permission;
    case 404:
      return ErrorKind::not_found;
    default:
      return ErrorKind::system;
  }
}

template <typename Number>
std::optional<Number> number_at(std::string_view text) {
  Number number{};
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc()) return std::nullopt;
  return number;
}

// The body of a complete answer with status 200.
Result<std::string> body_of(std::string answer) {
  constexpr std::string_view kLength = "\r\nContent-Length: ";
  const std::size_t head_end = answer.find("\r\n\r\n");
  const std::string_view head = std::string_view(answer).substr(0, head_end);
  const std::size_t length_at = head.find(kLength);
  const auto status =
      head.starts_with("HTTP/1.") ? number_at<int>(head.substr(std::min<std::size_t>(head.size(), 9))) : std::nullopt;
  if (head_end == std::string::npos || length_at == std::string_view::npos || !status) {
    return fail(ErrorKind::system, "what listens there is not goleakd");
  }
  const auto length = number_at<std::size_t>(head.substr(length_at + kLength.size()));
  answer.erase(0, head_end + 4);
  if (length != answer.size()) return fail(ErrorKind::system, "the answer was cut short");
  if (*status == 200) return answer;
  answer.erase(answer.find_last_not_of('\n') + 1);
  return fail(kind_of(*status), std::move(answer));
}

}  // namespace

Result<std::string> get(const std::string& socket, const std::string& target) {
  const bool plain = std::all_of(target.begin(), target.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!plain) return fail(ErrorKind::invalid, "not a request target: " + target);
  UniqueFd connection;
  if (const int error = connect_unix(socket, connection); error != 0) return fail(connect_error(error, socket));
  const Instant deadline = MonotonicClock::now() + kPatience;
  const std::string request = "GET " + target + " HTTP/1.0\r\n\r\n";
  if (auto sent = send_all(connection.get(), request, deadline); !sent) return fail(sent.error().within(socket));
  Result<std::string> answer = receive(connection.get(), "", kMaxAnswer, deadline);
  if (!answer) return fail(answer.error().within(socket));
  Result<std::string> body = body_of(std::move(*answer));
  if (!body) return fail(body.error().within(socket));
  return body;
}

}  // namespace goleakd::http
