// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"

namespace goleakd::http {

// Asks the running daemon through its unix socket: the body of GET `target` ("/api/v1/leaks?format=text"). Errors:
// `not_found` when no daemon listens there or it does not know what is asked for, `permission`, `system` when it does
// not answer properly, always with the daemon's own words when it had some.
Result<std::string> get(const std::string& socket, const std::string& target);

}  // namespace goleakd::http
