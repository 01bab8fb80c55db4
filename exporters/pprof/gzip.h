// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace goleakd::pprof {

// A gzip file of `bytes`, the same ones for the same: its header holds no time.
Result<std::string> gzip(std::string_view bytes);

}  // namespace goleakd::pprof
