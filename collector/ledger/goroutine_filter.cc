// SPDX-License-Identifier: Apache-2.0
#include "ledger/goroutine_filter.h"

#include <algorithm>
#include <array>
#include <utility>

namespace goleakd::ledger {
namespace {

using Kind = GoroutineCondition::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 11> kKinds{{
    {"user", Kind::user},
    {"userloc", Kind::user},
    {"current", Kind::current},
    {"curloc", Kind::current},
    {"created", Kind::created},
    {"goloc", Kind::created},
    {"start", Kind::start},
    {"startloc", Kind::start},
    {"state", Kind::state},
    {"label", Kind::label},
    {"running", Kind::running},
}};
constexpr std::string_view kAllowed =
    "user FUNC, current FUNC, created FUNC, start FUNC, state S, label K[=V] or running";

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

bool has_label(const GoroutineDump& g, std::string_view wanted) {
  const std::size_t equals = wanted.find('=');
  const std::string_view key = wanted.substr(0, equals);
  return std::ranges::any_of(g.labels, [&](const auto& label) {
    return label.first == key && (equals == std::string_view::npos || label.second == wanted.substr(equals + 1));
  });
}

bool waits_on(const GoroutineDump& g, std::uint64_t address) {
  return g.object && (g.object->address == address ||
                      std::ranges::any_of(g.object->cases, [&](const ObjectDump& c) { return c.address == address; }));
}

}  // namespace

Result<GoroutineCondition> GoroutineCondition::parse(std::string_view words, bool wanted) {
  const std::size_t space = words.find(' ');
  const std::string_view word = words.substr(0, space);
  const std::string_view text = space == std::string_view::npos ? std::string_view() : words.substr(space + 1);
  const auto* const known = std::ranges::find(kKinds, word, &std::pair<std::string_view, Kind>::first);
  if (known == kKinds.end() || text.empty() != (known->second == Kind::running)) {
    return fail(ErrorKind::invalid, "\"" + std::string(words) + "\" is not one of " + std::string(kAllowed));
  }
  return GoroutineCondition{.kind = known->second, .text = std::string(text), .wanted = wanted};
}

bool GoroutineCondition::holds(const GoroutineDump& g) const {
  switch (kind) {
    case Kind::user:
      return wanted == std::ranges::any_of(
                           g.frames, [&](const TracebackFrame& frame) { return contains(frame.frame.function, text); });
    case Kind::current:
      return wanted == (!g.frames.empty() && contains(g.frames.front().frame.function, text));
    case Kind::created:
      return wanted == (g.created_by && contains(g.created_by->frame.function, text));
    case Kind::start:
      return wanted == contains(g.started, text);
    case Kind::state:
      return wanted == contains(g.state, text);
    case Kind::label:
      return wanted == has_label(g, text);
    case Kind::running:
      return wanted == (g.state == "running" || g.state == "syscall");
  }
  return false;
}

bool GoroutineFilter::shows(const GoroutineDump& g) const {
  return (system || !g.system) && std::chrono::minutes(g.waiting_minutes) >= min_wait &&
         (object == 0 || waits_on(g, object)) &&
         std::ranges::all_of(conditions, [&](const GoroutineCondition& condition) { return condition.holds(g); });
}

}  // namespace goleakd::ledger
