// SPDX-License-Identifier: Apache-2.0
#include "target/function_table.h"

#include "target/pclntab.h"

namespace goleakd::target {

// By its section; in a PIE or library that was linked externally the linker has put it into .data.rel.ro, where only
// its header tells it (magic, two zeros, pc quantum 1, pointer size 8; aligned to 32 bytes).
std::optional<ElfFile::Section> find_function_table(const ElfFile& elf) {
  for (const char* name : {".gopclntab", ".data.rel.ro.gopclntab"}) {
    if (const auto* section = elf.section(name)) return *section;
  }
  const auto* data = elf.section(".data.rel.ro");
  if (data == nullptr) return std::nullopt;
  // Every process of the host comes by here: only what somebody has marked as Go's is searched.
  if (elf.section(".go.buildinfo") == nullptr && elf.section(".note.go.buildid") == nullptr) return std::nullopt;
  const auto bytes = elf.read_section(*data, kMaxFunctionTable);
  if (!bytes) return std::nullopt;
  constexpr std::uint64_t kAlignment = 32;
  constexpr std::uint64_t kHeaderTail = 0x08010000'00000000;
  for (std::uint64_t at = (kAlignment - data->address % kAlignment) % kAlignment; at < bytes->size();
       at += kAlignment) {
    const auto word = read_at<std::uint64_t>(*bytes, at);
    if (!word || (*word >> 32U << 32U) != kHeaderTail || !Pclntab::header(slice(*bytes, at))) continue;
    return ElfFile::Section{
        .name = data->name, .address = data->address + at, .offset = data->offset + at, .size = data->size - at};
  }
  return std::nullopt;
}

}  // namespace goleakd::target
