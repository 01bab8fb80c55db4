// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "base/result.h"

namespace goleakd {

// The options of `goleakd accept`. What it gives runs the command.
void add_accept(CLI::App& app, std::function<Result<void>()>& chosen);

}  // namespace goleakd
