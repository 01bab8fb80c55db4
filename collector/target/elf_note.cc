// SPDX-License-Identifier: Apache-2.0
#include "target/elf_note.h"

#include <elf.h>
#include <fmt/format.h>

namespace goleakd::target {
namespace {

constexpr std::uint32_t kGoBuildId = 4;  // src/cmd/link/internal/ld/elf.go: ELF_NOTE_GOBUILDID_TAG

constexpr std::uint64_t padded(std::uint64_t size) { return (size + 3) & ~std::uint64_t{3}; }

}  // namespace

std::optional<Note> next_note(ByteSpan notes, std::uint64_t& offset) {
  const auto header = read_at<Elf64_Nhdr>(notes, offset);
  if (!header) return std::nullopt;
  const std::uint64_t owner_at = offset + sizeof(*header);
  const std::uint64_t content_at = owner_at + padded(header->n_namesz);
  const ByteSpan owner = slice(notes, owner_at, header->n_namesz);
  const ByteSpan content = slice(notes, content_at, header->n_descsz);
  if (owner.size() != header->n_namesz || content.size() != header->n_descsz) return std::nullopt;
  offset = content_at + padded(header->n_descsz);
  return Note{.owner = c_string_at(owner, 0), .type = header->n_type, .content = content};
}

void add_notes(ByteSpan more, std::vector<std::uint8_t>& notes) {
  notes.insert(notes.end(), more.begin(), more.end());
  notes.resize(padded(notes.size()));
}

std::string build_id_of(ByteSpan notes) {
  std::string go;
  for (std::uint64_t at = 0; const auto note = next_note(notes, at);) {
    if (note->owner == "GNU" && note->type == NT_GNU_BUILD_ID) {
      std::string hex;
      for (const std::uint8_t byte : note->content) hex += fmt::format("{:02x}", byte);
      return hex;
    }
    if (note->owner == "Go" && note->type == kGoBuildId) {
      go.assign(reinterpret_cast<const char*>(note->content.data()), note->content.size());
    }
  }
  return go;
}

}  // namespace goleakd::target
