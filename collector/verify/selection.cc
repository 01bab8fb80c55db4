// SPDX-License-Identifier: Apache-2.0
#include "verify/selection.h"

#include <fnmatch.h>

#include <algorithm>

namespace goleakd::verify {

bool is_selected(const ProgramName& program, const std::vector<std::string>& only) {
  const std::string file = program.exe.substr(program.exe.rfind('/') + 1);
  return std::ranges::any_of(only, [&](const std::string& pattern) {
    const auto fits = [&](const std::string& name) {
      return !name.empty() && ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
    };
    return fits(program.exe) || fits(file) || fits(program.package) || (program.exe.empty() && fits(program.command));
  });
}

bool is_go_command(std::string_view package) { return package.starts_with("cmd/") && tested_package(package).empty(); }

std::string package_by_file(std::string_view exe) { return std::string(exe.substr(exe.rfind('/') + 1)); }

std::string tested_package(std::string_view package) {
  constexpr std::string_view kTest = ".test";
  if (!package.ends_with(kTest) || package.size() == kTest.size()) return {};
  return std::string(package.substr(0, package.size() - kTest.size()));
}

}  // namespace goleakd::verify
