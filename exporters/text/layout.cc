// SPDX-License-Identifier: Apache-2.0
#include "text/layout.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace goleakd::text {
namespace {

// Columns on the terminal, near enough: UTF-8 continuation bytes take none.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

void trim_right(std::string& line) { line.erase(line.find_last_not_of(' ') + 1); }

}  // namespace

std::string printable(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080..U+009F, which some terminals obey, are 0xc2 and then one of these.
    const bool c1 = byte == 0xc2 && i + 1 < text.size() && (static_cast<unsigned char>(text[i + 1]) & 0xe0U) == 0x80U;
    if (c1) ++i;
    safe += byte < 0x20 || byte == 0x7f || c1 ? '?' : text[i];
  }
  return safe;
}

std::string location(std::string_view file, int line) {
  return file.empty() ? std::string() : printable(file) + ":" + std::to_string(line);
}

std::string emphasis(std::string_view text, Emphasis how, bool color) {
  if (!color) return std::string(text);
  return (how == Emphasis::heading ? "\x1b[1m" : "\x1b[36m") + std::string(text) + "\x1b[0m";
}

std::string progress_line(std::string_view what, std::uint64_t done, std::uint64_t all, std::size_t width) {
  constexpr std::size_t kBar = 30;
  constexpr std::size_t kLeastBar = 5;
  const double part = all == 0 ? 0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(all));
  std::array<char, 16> percent{};
  std::snprintf(percent.data(), percent.size(), " %3.0f %%", part * 100);
  const std::size_t words = width_of(what) + std::string_view(percent.data()).size();
  std::string line(what);
  if (words + kLeastBar + 3 <= width) {
    const std::size_t bar = std::min(kBar, width - words - 3);
    const auto full = static_cast<std::size_t>(part * static_cast<double>(bar));
    line += " [" + std::string(full, '#') + std::string(bar - full, '-') + "]";
  }
  return line + percent.data();
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), unit == 0 || value >= 10 ? "%.0f %s" : "%.1f %s", value, kUnits.at(unit));
  return text.data();
}

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
  std::vector<std::string> lines(1);
  std::size_t at = 0;
  while (at < text.size()) {
    if (text[at] == '\n') {
      lines.emplace_back();
      ++at;
    } else if (text[at] == ' ') {
      ++at;
    } else {
      const std::string_view word = text.substr(at, text.find_first_of(" \n", at) - at);
      at += word.size();
      std::string* line = &lines.back();
      if (!line->empty() && width_of(*line) + 1 + width_of(word) > width) line = &lines.emplace_back();
      if (!line->empty()) *line += ' ';
      *line += word;
    }
  }
  return lines;
}

std::vector<std::string> align(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::vector<std::string> lines;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += row[i] + std::string(widths[i] - width_of(row[i]) + 2, ' ');
    trim_right(line);
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace goleakd::text
