// SPDX-License-Identifier: Apache-2.0
//
// print_binary FILE [FUNCTION...]: what goleakd finds in a Go program, as JSON, for tests that know what is right; and
// where in the file those functions of its runtime begin.
#include <fcntl.h>

#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "base/unique_fd.h"
#include "target/go_binary.h"

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: print_binary FILE [FUNCTION...]\n", stderr);
    return 2;
  }
  goleakd::UniqueFd fd(::open(argv[1], O_RDONLY | O_CLOEXEC));
  const auto binary = goleakd::target::GoBinary::open(std::move(fd), argv[1]);
  if (!binary) {
    std::fprintf(stderr, "%s: %s\n", std::string(to_string(binary.error().kind())).c_str(),
                 binary.error().message().c_str());
    return 1;
  }
  nlohmann::json entries = nlohmann::json::object();
  for (int i = 2; i < argc; ++i) {
    const auto function = (*binary)->functions().runtime_function(argv[i]);
    const auto offset = function ? (*binary)->elf().file_offset(function->entry) : std::nullopt;
    if (offset) entries[argv[i]] = *offset;
  }
  const goleakd::target::RuntimeGlobals& globals = (*binary)->globals();
  const nlohmann::json text{
      {"version", (*binary)->build_info().version.text},
      {"layout", std::string(to_string((*binary)->layout_origin()))},
      {"build_id", (*binary)->elf().build_id()},
      {"functions", (*binary)->functions().size()},
      {"text", (*binary)->functions().text()},
      {"memory", (*binary)->memory()},
      {"wait_reasons", (*binary)->layout().wait_reasons},
      {"entries", entries},
      {"globals",
       {{"runtime.allgs", globals.allgs},
        {"runtime.allp", globals.allp},
        {"runtime.sched", globals.sched},
        {"runtime.mheap_", globals.mheap},
        {"runtime.semtable", globals.semtable},
        {"runtime.firstmoduledata", globals.firstmoduledata},
        {"runtime.waitReasonStrings", globals.wait_reason_strings}}},
  };
  std::puts(text.dump(1).c_str());
  return 0;
}
