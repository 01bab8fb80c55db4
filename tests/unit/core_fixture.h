// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elf.h>
#include <sys/procfs.h>
#include <sys/user.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "elf_header.h"

namespace goleakd::snapshot {

using Bytes = std::vector<std::uint8_t>;

inline void append(Bytes& bytes, const void* from, std::size_t size) {
  if (size == 0) return;
  bytes.resize(bytes.size() + size);
  std::memcpy(&bytes[bytes.size() - size], from, size);
}
template <typename T>
inline void append(Bytes& bytes, const T& value) {
  append(bytes, &value, sizeof(value));
}
inline void append(Bytes& bytes, const Bytes& more) { append(bytes, more.data(), more.size()); }

inline void append_text(Bytes& bytes, const std::string& text) {  // with its zero
  append(bytes, text.c_str(), text.size() + 1);
}

inline void append_note(Bytes& bytes, const std::string& owner, std::uint32_t type, const Bytes& content) {
  append(bytes, Elf64_Nhdr{.n_namesz = static_cast<Elf64_Word>(owner.size() + 1),
                           .n_descsz = static_cast<Elf64_Word>(content.size()),
                           .n_type = type});
  append_text(bytes, owner);
  bytes.resize((bytes.size() + 3) & ~std::size_t{3});
  append(bytes, content);
  bytes.resize((bytes.size() + 3) & ~std::size_t{3});
}

inline Elf64_Phdr segment(std::uint32_t type, std::uint64_t offset, std::uint64_t address, std::uint64_t size) {
  Elf64_Phdr header{};
  header.p_type = type;
  header.p_offset = offset;
  header.p_vaddr = address;
  header.p_filesz = size;
  header.p_memsz = size;
  return header;
}

// The section that counts the segments which the header can't.
inline Elf64_Shdr segment_count(std::uint32_t count) {
  Elf64_Shdr section{};
  section.sh_info = count;
  return section;
}

inline constexpr std::uint64_t kCode = 0x400000;
inline constexpr std::uint64_t kData = 0x500000;
inline constexpr std::uint64_t kStack = 0xc000010000;
inline constexpr std::uint64_t kPage = 4096;

// The bytes of a core file. What a test wants to be wrong it changes before they are put together.
struct CoreFixture {
  Elf64_Ehdr header = elf_header(ET_CORE);
  std::vector<Elf64_Phdr> segments;
  Bytes notes;
  Bytes memory;           // of all segments, one after the other
  bool extended = false;  // the number of segments stands in a section header

  CoreFixture() {
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phoff = sizeof(Elf64_Ehdr);
    segments.push_back(segment(PT_NOTE, 0, 0, 0));
    add_thread(4711, 0x401000, kStack + 0x100);
    add_load(kData, 1, 'd');
    add_load(kStack, 2, 's');  // in no order
    add_load(kStack + 2 * kPage, 1, 't');
    add_load(kCode, 0, 0);  // left out, as the kernel does
    segments.back().p_memsz = 4 * kPage;
  }

  void add_load(std::uint64_t address, std::uint64_t pages, std::uint8_t fill) {
    segments.push_back(segment(PT_LOAD, memory.size(), address, pages * kPage));
    memory.resize(memory.size() + pages * kPage, fill);
  }

  void add_thread(int tid, std::uint64_t pc, std::uint64_t sp) {
    user_regs_struct registers{};
    registers.rip = pc;
    registers.rsp = sp;
    elf_prstatus status{};
    status.pr_pid = tid;
    std::memcpy(&status.pr_reg, &registers, sizeof(registers));
    Bytes content;
    append(content, status);
    append_note(notes, "CORE", NT_PRSTATUS, content);
  }

  void add_files(std::uint64_t count, const std::vector<std::string>& paths) {
    Bytes content;
    append(content, count);
    append(content, kPage);
    for (std::uint64_t i = 0; i < paths.size(); ++i) {
      for (const std::uint64_t word : {kCode + i * 16 * kPage, kCode + (i + 1) * 16 * kPage, std::uint64_t{0}}) {
        append(content, word);
      }
    }
    for (const std::string& path : paths) append_text(content, path);
    append_note(notes, "CORE", NT_FILE, content);
  }

  void add_auxiliary_vector(std::uint64_t entry, std::uint64_t headers, std::uint64_t count) {
    Bytes content;
    for (const auto& [type, value] : {std::pair<std::uint64_t, std::uint64_t>{AT_PHDR, headers},
                                      {AT_PHNUM, count},
                                      {AT_ENTRY, entry},
                                      {AT_NULL, 0}}) {
      append(content, Elf64_auxv_t{.a_type = type, .a_un = {.a_val = value}});
    }
    append_note(notes, "CORE", NT_AUXV, content);
  }

  std::uint64_t notes_at() const {
    return sizeof(Elf64_Ehdr) + segments.size() * sizeof(Elf64_Phdr) + (extended ? sizeof(Elf64_Shdr) : 0);
  }
  std::uint64_t memory_at() const { return (notes_at() + notes.size() + kPage - 1) / kPage * kPage; }

  Bytes bytes() const {
    Elf64_Ehdr final_header = header;
    final_header.e_phnum = extended ? PN_XNUM : static_cast<Elf64_Half>(segments.size());
    if (extended) {
      final_header.e_shoff = sizeof(Elf64_Ehdr) + segments.size() * sizeof(Elf64_Phdr);
      final_header.e_shentsize = sizeof(Elf64_Shdr);
      final_header.e_shnum = 1;
    }
    Bytes result;
    append(result, final_header);
    for (Elf64_Phdr each : segments) {
      if (each.p_type == PT_NOTE && each.p_filesz == 0) {
        each.p_offset = notes_at();
        each.p_filesz = notes.size();
      } else if (each.p_type == PT_LOAD) {
        each.p_offset += memory_at();
      }
      append(result, each);
    }
    if (extended) append(result, segment_count(static_cast<std::uint32_t>(segments.size())));
    append(result, notes);
    result.resize(memory_at());
    append(result, memory);
    return result;
  }
};

}  // namespace goleakd::snapshot
