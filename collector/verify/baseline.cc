// SPDX-License-Identifier: Apache-2.0
#include "verify/baseline.h"

#include <array>

namespace goleakd::verify {
namespace {

constexpr std::string_view kHead =
    "# Goroutine leaks that `goleakd verify --baseline` accepts. Fields, separated by tabs:\n"
    "# program, function with the go statement, function that it is stuck in, kind of wait\n";

// A name from somebody else's program must not make fields or lines of its own.
std::string field(std::string_view name) {
  if (name.empty()) return "-";
  std::string text(name);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  }
  return text;
}

}  // namespace

Baseline::Site Baseline::site_of(const std::string& program, const Leak& leak) {
  return {.program = field(program),
          .created = field(leak.created ? leak.created->function : ""),
          .blocked = field(leak.blocked ? leak.blocked->function : ""),
          .wait = std::string(ledger::to_string(leak.wait))};
}

Result<Baseline> Baseline::parse(std::string_view text) {
  Baseline baseline;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    std::array<std::string, 4> fields;
    std::size_t count = 0;
    for (bool more = true; more; ++count) {
      const std::size_t tab = line.find('\t');
      more = tab != std::string_view::npos;
      if (count < fields.size()) fields[count] = line.substr(0, tab);
      if (more) line.remove_prefix(tab + 1);
    }
    if (count != fields.size()) {
      return fail(ErrorKind::invalid, "line " + std::to_string(number) + " has " + std::to_string(count) +
                                          " fields, and not the 4 (separated by tabs) of a known leak");
    }
    baseline.sites_.insert({fields[0], fields[1], fields[2], fields[3]});
  }
  return baseline;
}

std::string Baseline::text() const {
  std::string text(kHead);
  for (const Site& site : sites_) {
    text += site.program + "\t" + site.created + "\t" + site.blocked + "\t" + site.wait + "\n";
  }
  return text;
}

}  // namespace goleakd::verify
