// SPDX-License-Identifier: Apache-2.0
#include "snapshot/core_notes.h"

#include <elf.h>
#include <sys/procfs.h>
#include <sys/user.h>

#include <algorithm>
#include <cstring>

#include "target/elf_note.h"

namespace goleakd::snapshot {
namespace {

void add_thread(ByteSpan content, CoreNotes& notes) {
  const auto status = read_at<elf_prstatus>(content, 0);
  if (!status) return;
  user_regs_struct registers{};
  static_assert(sizeof(registers) == sizeof(status->pr_reg));
  std::memcpy(&registers, &status->pr_reg, sizeof(registers));
  notes.threads.push_back({.pc = registers.rip, .sp = registers.rsp});
  if (notes.pid == 0) notes.pid = status->pr_pid;
}

void add_files(ByteSpan content, CoreNotes& notes) {
  struct Entry {
    std::uint64_t start, end, page_offset;
  };
  constexpr std::uint64_t kFirst = 16;  // after the number of entries and the page size
  const auto count = read_at<std::uint64_t>(content, 0);
  if (!count || *count > content.size() / sizeof(Entry)) return;
  std::uint64_t name_at = kFirst + *count * sizeof(Entry);
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto entry = read_at<Entry>(content, kFirst + i * sizeof(Entry));
    const std::string_view path = c_string_at(content, name_at);
    if (!entry || path.empty()) return;
    notes.files.push_back({.start = entry->start, .end = entry->end, .path = std::string(path)});
    name_at += path.size() + 1;
  }
}

void add_auxiliary_vector(ByteSpan content, CoreNotes& notes) {
  for (std::uint64_t at = 0; const auto entry = read_at<Elf64_auxv_t>(content, at); at += sizeof(Elf64_auxv_t)) {
    if (entry->a_type == AT_ENTRY) notes.entry = entry->a_un.a_val;
    if (entry->a_type == AT_PHDR) notes.headers = entry->a_un.a_val;
    if (entry->a_type == AT_PHNUM) notes.header_count = entry->a_un.a_val;
  }
}

}  // namespace

CoreNotes CoreNotes::parse(ByteSpan bytes) {
  CoreNotes notes;
  for (std::uint64_t at = 0; const auto note = target::next_note(bytes, at);) {
    if (note->owner != "CORE") continue;  // "LINUX" has further registers
    if (note->type == NT_PRSTATUS) add_thread(note->content, notes);
    if (note->type == NT_FILE) add_files(note->content, notes);
    if (note->type == NT_AUXV) add_auxiliary_vector(note->content, notes);
    if (note->type == NT_PRPSINFO) {
      if (const auto info = read_at<elf_prpsinfo>(note->content, 0)) notes.pid = info->pr_pid;
    }
  }
  return notes;
}

std::string CoreNotes::executable() const {
  const auto file = std::ranges::find_if(
      files, [&](const MappedFile& mapped) { return headers >= mapped.start && headers < mapped.end; });
  if (file == files.end()) return {};
  constexpr std::string_view kDeleted = " (deleted)";  // d_path(): it was when the core was written
  std::string_view path = file->path;
  if (path.ends_with(kDeleted)) path.remove_suffix(kDeleted.size());
  return std::string(path);
}

}  // namespace goleakd::snapshot
