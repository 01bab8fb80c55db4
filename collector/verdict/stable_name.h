// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace goleakd::verdict {

// A function's name without the numbers that the compiler gives to what has no name: "main.quote.func2.1" is
// "main.quote.func.", as it will be when another closure stands before it. Likewise "gowrap1", "deferwrap2" and
// "-range1". What people have called so ("main.func1") stays.
std::string stable_name(std::string_view function);

}  // namespace goleakd::verdict
