// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace goleakd::text {

// What blocks of findings are made of: a label, and beside it what it labels.

// "1 goroutine", "5 goroutines".
std::string counted(std::uint64_t n, const std::string& noun);
// "  label      row", further rows below it.
std::string listing(const std::string& label, const std::vector<std::string>& rows);
// The same of a text, in lines of a width that reads well.
std::string paragraph(const std::string& label, std::string_view text);
// The word in that ANSI escape ("1;31") when `color`.
std::string colored(const char* word, const char* escape, bool color);

}  // namespace goleakd::text
