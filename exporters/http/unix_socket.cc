// SPDX-License-Identifier: Apache-2.0
#include "http/unix_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

namespace goleakd::http {
namespace {

// Waits for `events`. False: the deadline has passed.
bool wait_for(int socket, short events, Instant deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - MonotonicClock::now()).count();
    if (left <= 0) return false;
    pollfd entry{.fd = socket, .events = events, .revents = 0};
    if (poll(&entry, 1, static_cast<int>(std::min<long>(left, 60'000))) > 0) return true;
  }
}

}  // namespace

std::optional<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) return std::nullopt;
  path.copy(static_cast<char*>(address.sun_path), path.size());
  return address;
}

int connect_unix(const std::string& path, UniqueFd& socket) {
  const auto address = unix_address(path);
  if (!address) return ENAMETOOLONG;
  socket.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return errno;
  const timeval patience{.tv_sec = 5,
                         .tv_usec = 0};  // bounds connect() too, which waits while the listener's queue is full
  if (setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0) return errno;
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) != 0) return errno;
  return 0;
}

Result<std::string> receive(int socket, std::string_view until, std::size_t limit, Instant deadline) {
  std::string text;
  std::array<char, 16384> chunk;
  while (wait_for(socket, POLLIN, deadline)) {
    const ssize_t n = recv(socket, chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n < 0) return fail(Error::from_errno(errno, "reading from the socket"));
    if (n == 0) return text;
    // The end may lie across two chunks.
    const std::size_t from = text.size() - std::min(text.size(), until.size());
    text.append(chunk.data(), static_cast<std::size_t>(n));
    if (!until.empty() && text.find(until, from) != std::string::npos) return text;
    if (text.size() > limit) return fail(ErrorKind::invalid, "more than " + std::to_string(limit) + " bytes received");
  }
  return fail(ErrorKind::system, "no answer in time");
}

Result<void> send_all(int socket, std::string_view bytes, Instant deadline) {
  while (!bytes.empty()) {
    if (!wait_for(socket, POLLOUT, deadline)) return fail(ErrorKind::system, "the other side does not read");
    const ssize_t n = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n < 0) return fail(Error::from_errno(errno, "writing to the socket"));
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace goleakd::http
