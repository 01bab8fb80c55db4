// SPDX-License-Identifier: Apache-2.0
#include "verdict/stable_name.h"

#include <algorithm>
#include <array>

namespace goleakd::verdict {
namespace {

std::string_view without_digits(std::string_view part) {
  const std::size_t end = part.find_last_not_of("0123456789");
  return part.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

// Of a part that the compiler has made up, what is not its number; of others the whole.
std::string_view stable_part(std::string_view part) {
  constexpr std::array<std::string_view, 5> kMadeUp{"", "func", "gowrap", "deferwrap", "range"};
  const std::string_view word = without_digits(part);
  return std::ranges::find(kMadeUp, word) != kMadeUp.end() ? word : part;
}

}  // namespace

std::string stable_name(std::string_view function) {
  // Behind the import path (whose last element has its dots escaped) and the name that people have given.
  const std::size_t path = function.find_first_of("[(", 0);
  const std::size_t slash = function.substr(0, path).rfind('/');
  const std::size_t package = function.find('.', slash == std::string_view::npos ? 0 : slash);
  const std::size_t given = package == std::string_view::npos ? package : function.find_first_of(".-", package + 1);
  if (given == std::string_view::npos) return std::string(function);
  std::string name(function.substr(0, given));
  for (std::size_t at = given; at < function.size();) {
    const std::size_t end = std::min(function.find_first_of(".-", at + 1), function.size());
    name += function[at];
    name += stable_part(function.substr(at + 1, end - at - 1));
    at = end;
  }
  return name;
}

}  // namespace goleakd::verdict
