// SPDX-License-Identifier: Apache-2.0
#include "snapshot/type_names.h"

#include <algorithm>

#include "base/bytes.h"

namespace goleakd::snapshot {
namespace {

constexpr std::size_t kMaxModules = 64;  // the program, and its plugins
constexpr std::size_t kMaxTypes = 65536;
constexpr std::uint64_t kMaxName = 4096;  // bytes; longer ones are not read
constexpr std::uint8_t kExtraStar = 2;    // abi.TFlagExtraStar: the text is that of *T

}  // namespace

TypeNames::TypeNames(const Memory& memory, const target::Layout& layout, std::uint64_t firstmoduledata)
    : memory_(memory), layout_(layout) {
  const auto word = [&](std::uint64_t address) { return memory_.value<std::uint64_t>(address).value_or(0); };
  std::uint64_t module = firstmoduledata;
  for (std::size_t i = 0; module != 0 && i < kMaxModules; ++i) {
    const Section section{.begin = word(module + layout.moduledata.types),
                          .end = word(module + layout.moduledata.etypes)};
    if (section.begin != 0 && section.begin < section.end) sections_.push_back(section);
    module = word(module + layout.moduledata.next);
  }
}

const std::string& TypeNames::of(std::uint64_t type) {
  static const std::string kNone;
  const auto known = known_.find(type);
  if (known != known_.end()) return known->second;
  return known_.size() < kMaxTypes ? known_.emplace(type, read(type)).first->second : kNone;
}

const TypeNames::Section* TypeNames::section_of(std::uint64_t address) const {
  const auto section = std::ranges::find_if(
      sections_, [&](const Section& candidate) { return address >= candidate.begin && address < candidate.end; });
  return section == sections_.end() ? nullptr : &*section;
}

std::string TypeNames::read(std::uint64_t type) const {
  const Section* section = section_of(type);
  if (section == nullptr) return {};
  const auto offset = memory_.value<std::int32_t>(type + layout_.type.str);
  const auto flags = memory_.value<std::uint8_t>(type + layout_.type.tflag);
  if (!offset || !flags || *offset <= 0) return {};
  std::string name = read_name(section->begin + static_cast<std::uint64_t>(*offset), *section);
  if ((*flags & kExtraStar) != 0 && name.starts_with('*')) name.erase(0, 1);
  return name;
}

// abi.Name: a byte of flags, the length as varint, the text.
std::string TypeNames::read_name(std::uint64_t address, const Section& section) const {
  constexpr std::uint64_t kFlagsAndLength = 1 + 3;
  if (address >= section.end) return {};
  std::vector<std::uint8_t> bytes(std::min(section.end - address, kFlagsAndLength + kMaxName));
  if (!memory_.read(address, bytes)) return {};
  std::uint64_t at = 1;
  const auto length = read_uvarint(bytes, at);
  if (!length || *length > bytes.size() - at) return {};
  const ByteSpan text = slice(bytes, at, *length);
  return {text.begin(), text.end()};
}

}  // namespace goleakd::snapshot
