// SPDX-License-Identifier: Apache-2.0
#include "verdict/ignore.h"

#include <algorithm>

namespace goleakd::verdict {
namespace {

// "*" stands for any text, everything else for itself: names of Go functions are full of what fnmatch(3) has a meaning
// for.
bool matches(std::string_view glob, std::string_view text) {
  std::size_t at = 0;
  std::size_t in = 0;
  std::size_t star = std::string_view::npos;
  std::size_t from_star = 0;
  while (in < text.size()) {
    if (at < glob.size() && glob[at] == '*') {
      star = at++;
      from_star = in;
    } else if (at < glob.size() && glob[at] == text[in]) {
      ++at;
      ++in;
    } else if (star != std::string_view::npos) {
      at = star + 1;  // the star takes one more
      in = ++from_star;
    } else {
      return false;
    }
  }
  return std::ranges::all_of(glob.substr(at), [](char c) { return c == '*'; });
}

bool allows(std::string_view glob, std::string_view text) { return glob.empty() || matches(glob, text); }

bool any_of_stack(std::string_view glob, const Leak& leak) {
  if (glob.empty() || matches(glob, leak.blocked.function)) return true;
  return leak.blocked.stack != nullptr && std::ranges::any_of(*leak.blocked.stack, [&](const ledger::Frame& frame) {
           return matches(glob, frame.function);
         });
}

}  // namespace

const IgnoreRule* ignored_by(const std::vector<IgnoreRule>& rules, std::string_view service, const Leak& leak,
                             std::chrono::system_clock::time_point now) {
  const auto holds = [&](const IgnoreRule& rule) {
    return (!rule.until || now < *rule.until) && allows(rule.service, service) &&
           allows(rule.created_by, leak.creation.function) && allows(rule.blocked_in, leak.blocked.function) &&
           any_of_stack(rule.any_function, leak) && (rule.leak.empty() || rule.leak == leak.id);
  };
  const auto found = std::ranges::find_if(rules, holds);
  return found == rules.end() ? nullptr : &*found;
}

}  // namespace goleakd::verdict
