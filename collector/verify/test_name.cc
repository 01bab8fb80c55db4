// SPDX-License-Identifier: Apache-2.0
#include "verify/test_name.h"

#include <algorithm>
#include <array>

namespace goleakd::verify {
namespace {

// As symbols have it: a dot in the last element of an import path would be taken for the end of the package
// (cmd/internal/objabi.PathToPrefix).
std::string symbol_prefix(std::string_view package) {
  const std::size_t last = package.rfind('/') == std::string_view::npos ? 0 : package.rfind('/') + 1;
  std::string prefix(package.substr(0, last));
  for (const char c : package.substr(last)) {
    if (c == '.') {
      prefix += "%2e";
    } else {
      prefix += c;
    }
  }
  return prefix;
}

// Where the last element of the function's import path begins. Type arguments have slashes of their own.
std::size_t path_end(std::string_view function) {
  const std::size_t slash = function.substr(0, function.find('[')).rfind('/');
  return slash == std::string_view::npos ? 0 : slash + 1;
}

// testing's rule (cmd/go/internal/load.isTest): "TestX", "Test_x" and "Test", not "Testament".
bool is_test(std::string_view name) {
  constexpr std::array<std::string_view, 4> kKinds{"Test", "Benchmark", "Fuzz", "Example"};
  return std::ranges::any_of(kKinds, [&](std::string_view kind) {
    if (!name.starts_with(kind)) return false;
    return name.size() == kind.size() || name[kind.size()] < 'a' || name[kind.size()] > 'z';
  });
}

// Up to the next dot that is not inside of brackets: "(*Suite[...])" is one part.
std::string_view first_part(std::string_view name) {
  int depth = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '(' || name[i] == '[') ++depth;
    if (name[i] == ')' || name[i] == ']') --depth;
    if (name[i] == '.' && depth <= 0) return name.substr(0, i);
  }
  return name;
}

std::string test_in(std::string_view name) {
  const std::string_view first = first_part(name);
  if (is_test(first)) return std::string(first);
  if (first.size() == name.size()) return {};
  const std::string_view second = first_part(name.substr(first.size() + 1));
  if (!is_test(second)) return {};
  return std::string(name.substr(0, first.size() + 1 + second.size()));
}

}  // namespace

std::string test_of(std::string_view function, std::string_view package) {
  const std::size_t last = path_end(function);
  const std::size_t dot = function.find('.', last);
  if (package.empty() || dot == std::string_view::npos) return {};
  std::string_view own = function.substr(0, dot);
  const std::string wanted = symbol_prefix(package);
  if (!own.ends_with(wanted) && own.ends_with("_test")) own.remove_suffix(std::string_view("_test").size());
  if (own != wanted && !own.ends_with("/" + wanted)) return {};
  return test_in(function.substr(dot + 1));
}

}  // namespace goleakd::verify
