// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace goleakd {

// The options of `goleakd verify`. `command`: what stood behind "--", which is not for the parser. What it gives runs
// the command and sets `status`, the exit code.
void add_verify(CLI::App& app, const std::vector<std::string>& command, int& status,
                std::function<Result<void>()>& chosen);

}  // namespace goleakd
