// SPDX-License-Identifier: Apache-2.0
#include "snapshot/panic_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <utility>

namespace goleakd::snapshot {
namespace {

constexpr std::size_t kMaxKind = 128;    // bytes
constexpr std::uint64_t kMaxText = 256;  // as the probe copies

// abi.Kind, src/internal/abi/type.go; the same in every version.
enum GoKind : std::uint8_t {
  kBool = 1,
  kInt = 2,
  kInt8 = 3,
  kInt16 = 4,
  kInt32 = 5,
  kInt64 = 6,
  kUint = 7,
  kUint8 = 8,
  kUint16 = 9,
  kUint32 = 10,
  kUint64 = 11,
  kUintptr = 12,
  kFloat32 = 13,
  kFloat64 = 14,
  kString = 24,
};
constexpr std::uint8_t kKindMask = 31;

// Structs that begin with what they say. The runtime's own say a word before it.
constexpr std::array<std::string_view, 3> kBeginWithText{"*errors.errorString", "*fmt.wrapError", "*fmt.wrapErrors"};
constexpr std::array<std::string_view, 2> kRuntimeErrors{"runtime.errorString", "runtime.errorAddressString"};
constexpr std::string_view kRuntimeError = "runtime error: ";

template <typename T>
std::optional<std::string> number(ByteSpan bytes) {
  const auto value = read_at<T>(bytes, 0);
  return value ? std::optional(fmt::format("{}", *value)) : std::nullopt;
}

std::optional<std::string> number(std::uint8_t kind, ByteSpan bytes) {
  switch (kind) {
    case kBool:
      return bytes.empty() ? std::nullopt : std::optional<std::string>(bytes[0] != 0 ? "true" : "false");
    case kInt:
    case kInt64:
      return number<std::int64_t>(bytes);
    case kInt8:
      return bytes.empty() ? std::nullopt : std::optional(std::to_string(static_cast<std::int8_t>(bytes[0])));
    case kInt16:
      return number<std::int16_t>(bytes);
    case kInt32:
      return number<std::int32_t>(bytes);
    case kUint:
    case kUint64:
    case kUintptr:
      return number<std::uint64_t>(bytes);
    case kUint8:
      return bytes.empty() ? std::nullopt : std::optional(std::to_string(bytes[0]));
    case kUint16:
      return number<std::uint16_t>(bytes);
    case kUint32:
      return number<std::uint32_t>(bytes);
    case kFloat32:
      return number<float>(bytes);
    case kFloat64:
      return number<double>(bytes);
    default:
      return std::nullopt;
  }
}

// runtime.boundsError, src/runtime/error.go: x int64, y int, signed bool, code uint8.
std::optional<std::string> bounds(ByteSpan bytes) {
  constexpr std::array<const char*, 9> kFormats{
      "index out of range [{x}] with length {y}",
      "slice bounds out of range [:{x}] with length {y}",
      "slice bounds out of range [:{x}] with capacity {y}",
      "slice bounds out of range [{x}:{y}]",
      "slice bounds out of range [::{x}] with length {y}",
      "slice bounds out of range [::{x}] with capacity {y}",
      "slice bounds out of range [:{x}:{y}]",
      "slice bounds out of range [{x}:{y}:]",
      "cannot convert slice with length {y} to array or pointer to array with "
      "length {x}"};
  constexpr std::array<const char*, 8> kNegative{
      "index out of range [{x}]",          "slice bounds out of range [:{x}]",  "slice bounds out of range [:{x}]",
      "slice bounds out of range [{x}:]",  "slice bounds out of range [::{x}]", "slice bounds out of range [::{x}]",
      "slice bounds out of range [:{x}:]", "slice bounds out of range [{x}::]"};
  const auto x = read_at<std::int64_t>(bytes, 0);
  const auto y = read_at<std::int64_t>(bytes, 8);
  const auto is_signed = read_at<std::uint8_t>(bytes, 16);
  const auto code = read_at<std::uint8_t>(bytes, 17);
  if (!code || *code >= kFormats.size()) return std::nullopt;
  const bool negative = *is_signed != 0 && *x < 0;
  const char* format = negative && *code < kNegative.size() ? kNegative.at(*code) : kFormats.at(*code);
  const std::string shown = *is_signed != 0 ? std::to_string(*x) : std::to_string(static_cast<std::uint64_t>(*x));
  return std::string(kRuntimeError) + fmt::format(fmt::runtime(format), fmt::arg("x", shown), fmt::arg("y", *y));
}

}  // namespace

PanicValues::PanicValues(const Memory& constants, const target::Layout& layout, std::uint64_t firstmoduledata,
                         std::function<bool(std::uint64_t)> is_constant)
    : constants_(constants),
      layout_(layout),
      is_constant_(std::move(is_constant)),
      names_(constants, layout, firstmoduledata) {}

std::string PanicValues::kind(const PanicValue& value) {
  if (value.type == 0) return "nil";
  const std::string& name = names_.of(value.type);
  return name.size() <= kMaxKind ? name : name.substr(0, kMaxKind) + "...";
}

std::optional<std::string> PanicValues::text(const CopiedText& text) const {
  if (text.length == 0) return "";
  if (!text.bytes.empty()) return std::string(text.bytes);
  if (!is_constant_(text.address) && !names_.has(text.address)) return std::nullopt;
  std::string bytes(std::min(text.length, kMaxText), '\0');
  if (!constants_.read(text.address, std::span(reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()))) {
    return std::nullopt;
  }
  return bytes;
}

std::optional<std::string> PanicValues::text(const PanicValue& value) {
  const std::string name = names_.of(value.type);
  if (name.empty()) return std::nullopt;
  const std::uint8_t kind = constants_.value<std::uint8_t>(value.type + layout_.type.kind).value_or(0) & kKindMask;
  const bool of_runtime = std::ranges::find(kRuntimeErrors, name) != kRuntimeErrors.end();
  const bool has_text =
      of_runtime || kind == kString || std::ranges::find(kBeginWithText, name) != kBeginWithText.end();
  if (has_text && !value.bytes.empty()) {
    const auto said = text(value.text);
    return said && of_runtime ? std::string(kRuntimeError) + *said : said;
  }
  if (name == "runtime.boundsError") return bounds(value.bytes);
  if (name == "*runtime.TypeAssertionError") return type_assertion(value);
  if (name == "*runtime.PanicNilError") return "panic called with nil argument";
  return number(kind, value.bytes);
}

// _interface, concrete, asserted *_type; missingMethod string.
std::optional<std::string> PanicValues::type_assertion(const PanicValue& value) {
  const auto word = [&](std::size_t i) { return read_at<std::uint64_t>(value.bytes, i * 8).value_or(0); };
  const std::string interface = word(0) == 0 ? "interface" : names_.of(word(0));
  const std::string asserted = names_.of(word(2));
  if (interface.empty() || asserted.empty()) return std::nullopt;
  const std::string said = "interface conversion: ";
  if (word(1) == 0) return said + interface + " is nil, not " + asserted;
  const std::string concrete = names_.of(word(1));
  if (concrete.empty()) return std::nullopt;
  if (word(4) == 0) return said + interface + " is " + concrete + ", not " + asserted;
  const auto method = text(CopiedText{.address = word(3), .length = word(4), .bytes = {}});
  return said + concrete + " is not " + asserted + ": missing method " + method.value_or("?");
}

}  // namespace goleakd::snapshot
