// SPDX-License-Identifier: Apache-2.0
#include "junit/xml.h"

#include <array>
#include <cstdint>

namespace goleakd::junit {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

// Bytes of the UTF-8 character at the beginning of `text`; 0 where there is none. Overlong forms, surrogates and what
// lies beyond Unicode are none.
std::size_t character_length(std::string_view text, std::uint32_t& character) {
  struct Form {
    unsigned char mask, bits;
    std::size_t length;
    std::uint32_t least;
  };
  constexpr std::array<Form, 4> kForms{
      {{0x80, 0x00, 1, 0}, {0xe0, 0xc0, 2, 0x80}, {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000}}};
  const auto first = static_cast<unsigned char>(text.front());
  for (const Form& form : kForms) {
    if ((first & form.mask) != form.bits) continue;
    if (text.size() < form.length) return 0;
    character = first & static_cast<unsigned char>(~form.mask);
    for (std::size_t i = 1; i < form.length; ++i) {
      const auto next = static_cast<unsigned char>(text[i]);
      if ((next & 0xc0U) != 0x80U) return 0;
      character = character << 6U | (next & 0x3fU);
    }
    const bool surrogate = character >= 0xd800 && character <= 0xdfff;
    return character < form.least || surrogate || character > 0x10ffff ? 0 : form.length;
  }
  return 0;
}

// XML 1.0, production 2 (Char).
bool is_xml(std::uint32_t character) {
  if (character < 0x20) return character == '\t' || character == '\n' || character == '\r';
  return character != 0xfffe && character != 0xffff;
}

std::string_view escape(std::uint32_t character) {
  switch (character) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\t':
      return "&#9;";
    case '\n':
      return "&#10;";
    case '\r':
      return "&#13;";
    default:
      return {};
  }
}

}  // namespace

std::string xml_escaped(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    std::uint32_t character = 0;
    const std::size_t length = character_length(text, character);
    if (length == 0 || !is_xml(character)) {
      escaped += kReplacement;
    } else if (const std::string_view special = escape(character); !special.empty()) {
      escaped += special;
    } else {
      escaped += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return escaped;
}

}  // namespace goleakd::junit
