// SPDX-License-Identifier: Apache-2.0
// ElfFile: opening a file that claims anything, and every question that is asked of it afterwards.
#include "fuzz_file.h"
#include "target/elf_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto elf = goleakd::target::ElfFile::open(fuzz_file({data, size}), "fuzz");
  if (!elf) return 0;
  elf->load_link_tables();
  for (const char* name : {".text", ".gopclntab", ".go.buildinfo", ".data.rel.ro"}) {
    if (const auto* section = elf->section(name)) (void)elf->read_section(*section, 1U << 20U);
  }
  for (const auto& segment : elf->segments()) {
    for (const std::uint64_t address :
         {segment.address, segment.address + segment.file_size - 1, segment.address - 1}) {
      (void)elf->read_pointer(address);
      (void)elf->read_string(address, 128);
      (void)elf->file_offset(address);
      (void)elf->is_executable(address);
      (void)elf->is_writable(address);
      (void)elf->relocated_to(address);
    }
  }
  (void)elf->symbol("runtime.allgs");
  elf->drop_link_tables();
  return 0;
}
