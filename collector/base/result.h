// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "base/error.h"

namespace goleakd {

// A value or the Error that kept it from being made. std::expected in all but the name, until the base is C++23.
template <typename T>
using Result = tl::expected<T, Error>;

// `return fail(ErrorKind::invalid, "…")` from any function that returns a Result.
inline tl::unexpected<Error> fail(ErrorKind kind, std::string message) {
  return tl::unexpected<Error>(Error(kind, std::move(message)));
}
inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace goleakd
