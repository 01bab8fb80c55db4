// SPDX-License-Identifier: Apache-2.0
#include "text/blocks.h"

#include "text/layout.h"

namespace goleakd::text {
namespace {

constexpr std::size_t kLabelWidth = 13;  // "  goroutines "
constexpr std::size_t kTextWidth = 96;

}  // namespace

std::string counted(std::uint64_t n, const std::string& noun) {
  return std::to_string(n) + " " + noun + (n == 1 ? "" : "s");
}

std::string listing(const std::string& label, const std::vector<std::string>& rows) {
  std::string lines;
  for (const std::string& row : rows) {
    std::string head = lines.empty() ? "  " + label : "";
    head.resize(kLabelWidth, ' ');
    lines += head + row + "\n";
  }
  return lines;
}

std::string paragraph(const std::string& label, std::string_view text) {
  return listing(label, wrap(text, kTextWidth));
}

std::string colored(const char* word, const char* escape, bool color) {
  return color ? "\x1b[" + std::string(escape) + "m" + word + "\x1b[0m" : word;
}

}  // namespace goleakd::text
