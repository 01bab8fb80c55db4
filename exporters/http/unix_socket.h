// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/un.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace goleakd::http {

// None when the path is empty or longer than the kernel takes (107 bytes).
std::optional<sockaddr_un> unix_address(const std::string& path);

// Connects `socket` to `path`. Returns 0, or errno: ENOENT nothing there, ECONNREFUSED nobody listens, EACCES, EAGAIN
// the listener has not taken anybody for 5 s.
int connect_unix(const std::string& path, UniqueFd& socket);

// Neither blocks beyond `deadline`, which is for the whole transfer: a peer who trickles gains nothing.

// Reads until the peer has ended, or `until` (if not empty) has come. Errors: `invalid` when that takes more than
// `limit` bytes, `system` when it takes too long or the connection breaks.
Result<std::string> receive(int socket, std::string_view until, std::size_t limit, Instant deadline);
Result<void> send_all(int socket, std::string_view bytes, Instant deadline);

}  // namespace goleakd::http
