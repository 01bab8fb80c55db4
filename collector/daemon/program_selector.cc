// SPDX-License-Identifier: Apache-2.0
#include "daemon/program_selector.h"

#include <unistd.h>

#include <utility>

#include "verify/selection.h"

namespace goleakd::daemon {

verify::Program ProgramSelector::describe(int pid, std::string exe, const target::GoBinary& binary) {
  verify::Program program;
  program.pid = pid;
  program.exe = std::move(exe);
  program.package = binary.build_info().path;
  if (program.package.empty()) program.package = verify::package_by_file(program.exe);
  program.tests_of = verify::tested_package(program.package);
  program.go_version = binary.build_info().version.text;
  return program;
}

bool ProgramSelector::selects(const verify::Program& program) {
  if (!only_.empty()) {
    const std::string command = program.exe.empty() ? proc_.command(program.pid) : "";
    return verify::is_selected({.exe = program.exe, .command = command, .package = program.package}, only_);
  }
  if (verify::is_go_command(program.package)) return false;
  return !below_a_test(program.pid);
}

// A test has started it, maybe by way of others: a tool of its own, often the test binary once more, which then plays
// another part and exits in the middle of it.
bool ProgramSelector::below_a_test(int pid) {
  for (auto parent = proc_.parent(pid); parent && *parent != ::getpid(); parent = proc_.parent(*parent)) {
    const auto binary = binaries_.open(proc_.exe_path(*parent));
    if (binary && !describe(*parent, proc_.exe(*parent).value_or(""), **binary).tests_of.empty()) return true;
  }
  return false;
}

}  // namespace goleakd::daemon
