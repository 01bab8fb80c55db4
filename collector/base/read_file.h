// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/result.h"

namespace goleakd {

// The whole of a file that a user has named. An error says "`attempted` `path`: reason".
Result<std::string> read_file(const std::string& path, const std::string& attempted);

}  // namespace goleakd
