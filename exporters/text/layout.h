// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace goleakd::text {

// `text` with every control character replaced by '?'. Names and paths come from programs and files that others
// control, and must not steer the reader's terminal or forge lines.
std::string printable(std::string_view text);

// "/srv/shop/main.go:88", or empty when the file is not known.
std::string location(std::string_view file, int line);

// `text` in ANSI escapes when `color`, else as it is.
enum class Emphasis { heading, aside };
std::string emphasis(std::string_view text, Emphasis how, bool color);

// "reading goroutines [#######-----]  58 %", at most `width` columns wide; without the bar when there is no room for
// it.
std::string progress_line(std::string_view what, std::uint64_t done, std::uint64_t all, std::size_t width);

// "824 KiB": the largest binary unit that gives at least 1; one decimal below 10.
std::string format_bytes(std::uint64_t bytes);

// Words of `text` on lines of at most `width` characters (a longer word has a line of its own). Line ends in `text`
// stay.
std::vector<std::string> wrap(std::string_view text, std::size_t width);

// Rows with each column padded to its widest cell and two spaces between columns; no trailing spaces. Rows may be
// ragged.
std::vector<std::string> align(const std::vector<std::vector<std::string>>& rows);

}  // namespace goleakd::text
