// SPDX-License-Identifier: Apache-2.0
#include "target/build_info.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "target/layout.h"

namespace goleakd::target {
namespace {

// Layout of the blob: 14 bytes of magic, pointer size, flags, padding to 32, then two varint-prefixed strings: the
// version and the module text, which a 16-byte sentinel encloses on either side (src/cmd/link/internal/ld/data.go,
// buildinfo).
constexpr std::string_view kMagic = "\xff Go buildinf:";
constexpr std::uint64_t kFlagsAt = 15;
constexpr std::uint8_t kInlineStrings = 2;
constexpr std::uint64_t kStringsAt = 32;
constexpr std::size_t kSentinel = 16;
// The largest module texts, with a line for each of hundreds of dependencies, have 100 KB; there are some 20 settings.
constexpr std::size_t kMaxModuleText = 4U << 20U;
constexpr std::size_t kMaxSettings = 256;

std::optional<std::string_view> prefixed_string(ByteSpan blob, std::uint64_t& offset) {
  const auto length = read_uvarint(blob, offset);
  if (!length || *length > blob.size() - offset) return std::nullopt;
  const ByteSpan text = slice(blob, offset, *length);
  offset += *length;
  return std::string_view(reinterpret_cast<const char*>(text.data()), text.size());
}

std::string_view next_field(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  const std::string_view field = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return field;
}

void parse_module_text(std::string_view text, BuildInfo& info) {
  while (!text.empty()) {
    std::string_view line = next_field(text, '\n');
    const std::string_view key = next_field(line, '\t');
    if (key == "path") {
      info.path = line;
    } else if (key == "mod") {
      info.module = next_field(line, '\t');
      info.module_version = next_field(line, '\t');
    } else if (key == "build" && info.settings.size() < kMaxSettings) {
      const std::string_view name = next_field(line, '=');
      info.settings.emplace(name, line);
    }
  }
}

}  // namespace

Result<BuildInfo> BuildInfo::parse(ByteSpan section) {
  const auto invalid = [](std::string_view why) {
    return fail(ErrorKind::invalid, "Go build information: " + std::string(why));
  };
  const std::string_view head(reinterpret_cast<const char*>(section.data()), std::min(section.size(), kMagic.size()));
  if (head != kMagic) return invalid("the section does not begin with its magic");
  const auto flags = read_at<std::uint8_t>(section, kFlagsAt);
  if (!flags) return invalid("cut short");
  if ((*flags & kInlineStrings) == 0) {
    return fail(ErrorKind::unsupported, "built with Go 1.17 or older; goleakd knows " + supported_versions());
  }

  std::uint64_t offset = kStringsAt;
  const auto version_text = prefixed_string(section, offset);
  if (!version_text) return invalid("the version is cut short");
  auto version = GoVersion::parse(*version_text);
  if (!version) return fail(ErrorKind::unsupported, "built by something that is no version of Go 1");
  BuildInfo info{.version = std::move(*version), .path = {}, .module = {}, .module_version = {}, .settings = {}};
  const auto module_text = prefixed_string(section, offset);
  if (module_text && module_text->size() >= 2 * kSentinel && module_text->size() <= kMaxModuleText) {
    parse_module_text(module_text->substr(kSentinel, module_text->size() - 2 * kSentinel), info);
  }
  return info;
}

}  // namespace goleakd::target
