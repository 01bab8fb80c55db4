// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace goleakd::verify {

// A program, as one can choose it.
struct ProgramName {
  std::string exe;      // path; empty where it may not be seen
  std::string command;  // its name in the process table: the first 15 bytes of the file's
  std::string package;  // import path of its main package; empty when not known
};

// A glob (* ? [...], and * goes over slashes) over the path of the executable, its file name, or the import path of its
// main package.
bool is_selected(const ProgramName& program, const std::vector<std::string>& only);

// One of Go's own commands (go, compile, vet, …): Go programs themselves, and nobody's to verify.
bool is_go_command(std::string_view package);

// What stands in for the import path of a main package where the binary does not tell, as test binaries of Go 1.19
// don't: its file's name, which `go test` makes from the last element of that path.
std::string package_by_file(std::string_view exe);

// The package that a test binary tests: "example.com/a" of "example.com/a.test", which is what `go test` calls its main
// package. Empty when it is none.
std::string tested_package(std::string_view package);

}  // namespace goleakd::verify
