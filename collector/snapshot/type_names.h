// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "snapshot/memory.h"
#include "target/layout.h"

namespace goleakd::snapshot {

// Names of Go types ("chan main.Job", "struct {}"), as %T prints them: from runtime._type.Str, an offset into the type
// section of the module that the type is in (src/runtime/type.go, resolveNameOff).
class TypeNames {
 public:
  // Borrows memory and layout. `firstmoduledata` is a run-time address; 0: no name will be known.
  TypeNames(const Memory& memory, const target::Layout& layout, std::uint64_t firstmoduledata);

  // Empty where it can't be read, and for types that were made at run time by package reflect.
  const std::string& of(std::uint64_t type);

  // The address is among the types: nothing there changes while the program runs.
  bool has(std::uint64_t address) const { return section_of(address) != nullptr; }

 private:
  struct Section {  // moduledata.types … etypes
    std::uint64_t begin;
    std::uint64_t end;
  };

  const Section* section_of(std::uint64_t address) const;
  std::string read(std::uint64_t type) const;
  std::string read_name(std::uint64_t address, const Section& section) const;

  const Memory& memory_;
  const target::Layout& layout_;
  std::vector<Section> sections_;
  std::unordered_map<std::uint64_t, std::string> known_;
};

}  // namespace goleakd::snapshot
