// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace goleakd {

// "64KiB", "256MiB", "1GiB", "2TiB", in bytes. A bare number is refused: its unit would be a guess. So are fractions,
// signs and what does not fit into 63 bits.
Result<std::uint64_t> parse_size(std::string_view text);

}  // namespace goleakd
