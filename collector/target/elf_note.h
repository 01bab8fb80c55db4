// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace goleakd::target {

// One entry of a note section or PT_NOTE segment: elf(5), "Notes (Nhdr)".
struct Note {
  std::string_view owner;
  std::uint32_t type = 0;
  ByteSpan content;
};

// The note at `offset`, which is moved behind it. Nothing at the end, and where a length leads beyond it.
std::optional<Note> next_note(ByteSpan notes, std::uint64_t& offset);

// Appends the notes of one more section or segment to those of others.
void add_notes(ByteSpan more, std::vector<std::uint8_t>& notes);

// GNU build id in hex, else the Go build id, else empty.
std::string build_id_of(ByteSpan notes);

}  // namespace goleakd::target
