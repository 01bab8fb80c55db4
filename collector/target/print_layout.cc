// SPDX-License-Identifier: Apache-2.0
//
// print-layout FILE: what scripts/gen-layouts makes the table of, read from FILE's debug information exactly as the
// collector reads it. Structs that it lacks are left out.
#include <fcntl.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "base/unique_fd.h"
#include "target/dwarf_layout.h"
#include "target/layout_fields.h"

int main(int argc, char** argv) {
  using namespace goleakd;
  if (argc != 2) {
    std::fputs("usage: print-layout FILE\n", stderr);
    return 2;
  }
  const UniqueFd fd(open(argv[1], O_RDONLY | O_CLOEXEC));
  target::Layout layout;
  const auto lacking = target::read_offsets(fd.get(), argv[1], layout);
  if (!lacking) {
    std::fprintf(stderr, "print-layout: %s\n", lacking.error().message().c_str());
    return 1;
  }
  std::string json = "{";
  for (const target::LayoutStruct& entry : target::fields_of(layout)) {
    if (std::ranges::find(*lacking, entry.name) != lacking->end()) continue;
    json += '"' + std::string(entry.name) + "\": {\"size\": " + std::to_string(*entry.size);
    for (const target::LayoutField& field : entry.fields) {
      if (target::present(*field.offset)) {
        json += ", \"" + std::string(field.name) + "\": " + std::to_string(*field.offset);
      }
    }
    json += "}, ";
  }
  json += "\"func_id_wrapper\": " + std::to_string(layout.func_id_wrapper) + '}';
  std::puts(json.c_str());
  return 0;
}
