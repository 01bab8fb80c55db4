// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "base/result.h"
#include "base/unique_fd.h"
#include "http/routes.h"

namespace goleakd::http {

// Serves `routes` on a unix socket until it is destroyed, one request after the other on one thread: for the command
// line and for curl --unix-socket. (Debian 12's civetweb is built without unix sockets.) Whoever may open the socket
// file, mode 0660, is trusted.
class UnixListener {
 public:
  // `routes` must outlive the listener. Replaces a socket file that nobody listens on; any other file stays. Errors:
  // `system` when another process listens there, `permission`, `not_found` when the folder is missing.
  static Result<std::unique_ptr<UnixListener>> make(const std::string& path, const Routes& routes);

  ~UnixListener();
  UnixListener(const UnixListener&) = delete;
  UnixListener& operator=(const UnixListener&) = delete;

 private:
  UnixListener(std::string path, UniqueFd socket, const Routes& routes);

  void serve();
  void answer_one(int client) const;

  std::string path_;
  UniqueFd socket_;
  const Routes& routes_;
  std::thread thread_;
};

}  // namespace goleakd::http
