// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>

namespace goleakd {

using ByteSpan = std::span<const std::uint8_t>;

// The T at `offset`, in this machine's byte order (goleakd and its targets share it), or nothing when it does not fit.
// Offsets come from files and memory that others control: no sum here can overflow.
template <typename T>
std::optional<T> read_at(ByteSpan bytes, std::uint64_t offset) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

// At most `length` bytes from `offset`; empty when that is outside.
inline ByteSpan slice(ByteSpan bytes, std::uint64_t offset, std::uint64_t length = ~std::uint64_t{0}) {
  if (offset > bytes.size()) return {};
  const std::uint64_t left = bytes.size() - offset;
  return bytes.subspan(offset, length < left ? length : left);
}

// The zero-terminated text at `offset`, without its zero; empty when it does not end inside `bytes`.
inline std::string_view c_string_at(ByteSpan bytes, std::uint64_t offset) {
  const ByteSpan rest = slice(bytes, offset);
  const void* end = rest.empty() ? nullptr : std::memchr(rest.data(), 0, rest.size());
  if (end == nullptr) return {};
  const auto* begin = reinterpret_cast<const char*>(rest.data());
  return {begin, static_cast<std::size_t>(static_cast<const char*>(end) - begin)};
}

// Go's unsigned varint (encoding/binary). Advances `offset`; nothing when it is cut short or longer than 64 bits.
inline std::optional<std::uint64_t> read_uvarint(ByteSpan bytes, std::uint64_t& offset) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (offset >= bytes.size()) return std::nullopt;
    const std::uint8_t byte = bytes[offset++];
    value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
    if ((byte & 0x80U) == 0) return value;
  }
  return std::nullopt;
}

}  // namespace goleakd
