// SPDX-License-Identifier: Apache-2.0
#include "http/unix_listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "http/message.h"
#include "http/unix_socket.h"

namespace goleakd::http {
namespace {

constexpr std::chrono::seconds kPatience{5};  // with a client that asks, and again with one that reads
constexpr std::size_t kMaxHead = 16384;
constexpr mode_t kMode = 0660;

// Makes way for a new socket where the last goleakd has left its own.
Result<void> remove_stale(const std::string& path) {
  struct stat file {};
  if (lstat(path.c_str(), &file) != 0) return fail(Error::from_errno(errno, "looking at " + path));
  if (!S_ISSOCK(file.st_mode)) return fail(ErrorKind::system, path + " is in the way: it is not a socket");
  UniqueFd probe;
  const int error = connect_unix(path, probe);
  if (error == 0 || error == EAGAIN) return fail(ErrorKind::system, "another goleakd is running: it has " + path);
  if (error != ECONNREFUSED) return fail(Error::from_errno(error, "connecting to " + path));
  if (unlink(path.c_str()) != 0) return fail(Error::from_errno(errno, "removing the unused socket " + path));
  return {};
}

Result<UniqueFd> listen_on(const std::string& path) {
  const auto address = unix_address(path);
  if (!address) return fail(ErrorKind::invalid, "the path of a socket has 1 to 107 bytes: " + path);
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return fail(Error::from_errno(errno, "creating a socket"));
  const auto bind_it = [&] { return bind(fd.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)); };
  if (bind_it() != 0) {
    if (errno != EADDRINUSE) return fail(Error::from_errno(errno, "creating the socket " + path));
    if (auto removed = remove_stale(path); !removed) return fail(removed.error());
    if (bind_it() != 0) return fail(Error::from_errno(errno, "creating the socket " + path));
  }
  // Nobody can connect before listen(), so the mode that the umask gave was never in force.
  if (chmod(path.c_str(), kMode) != 0 || listen(fd.get(), SOMAXCONN) != 0) {
    Error error = Error::from_errno(errno, "opening the socket " + path);
    unlink(path.c_str());
    return fail(std::move(error));
  }
  return fd;
}

}  // namespace

Result<std::unique_ptr<UnixListener>> UnixListener::make(const std::string& path, const Routes& routes) {
  Result<UniqueFd> socket = listen_on(path);
  if (!socket) return fail(socket.error());
  return std::unique_ptr<UnixListener>(new UnixListener(path, std::move(*socket), routes));
}

UnixListener::UnixListener(std::string path, UniqueFd socket, const Routes& routes)
    : path_(std::move(path)), socket_(std::move(socket)), routes_(routes), thread_([this] { serve(); }) {}

UnixListener::~UnixListener() {
  shutdown(socket_.get(), SHUT_RDWR);  // wakes accept(), which then fails with EINVAL
  thread_.join();
  unlink(path_.c_str());
}

void UnixListener::serve() {
  while (true) {
    const UniqueFd client(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (client) {
      answer_one(client.get());
    } else if (errno == EINVAL) {
      return;
    } else if (errno != EINTR && errno != ECONNABORTED) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));  // out of descriptors or memory: not at once again
    }
  }
}

void UnixListener::answer_one(int client) const {
  const auto head = receive(client, "\r\n\r\n", kMaxHead, MonotonicClock::now() + kPatience);
  if (!head) return;
  Request request = parse_request(*head);
  request.trusted = true;
  const Response response =
      request.method.empty() ? Response{.status = 400, .body = "this is not HTTP/1\n"} : routes_.answer(request);
  const Instant deadline = MonotonicClock::now() + kPatience;
  // A client that hangs up early has what it wanted.
  if (!send_all(client, response_head(response), deadline)) return;
  if (request.method != "HEAD") (void)send_all(client, response.body, deadline);
}

}  // namespace goleakd::http
