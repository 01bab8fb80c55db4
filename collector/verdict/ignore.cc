// SPDX-License-Identifier: Apache-2.0
#include "verdict/ignore.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/day.h"
#include "base/glob.h"
#include "ledger/long_lived.h"

namespace goleakd::verdict {
namespace {

bool allows(std::string_view glob, std::string_view text) { return glob.empty() || matches_glob(glob, text); }

bool any_of_stack(std::string_view glob, const Leak& leak) {
  if (glob.empty() || matches_glob(glob, leak.blocked.function)) return true;
  return leak.blocked.stack != nullptr && std::ranges::any_of(*leak.blocked.stack, [&](const ledger::Frame& frame) {
           return matches_glob(glob, frame.function);
         });
}

bool is_meant(const IgnoreRule& rule, std::string_view service, const Leak& leak) {
  return allows(rule.service, service) && allows(rule.created_by, leak.creation.function) &&
         allows(rule.blocked_in, leak.blocked.function) && any_of_stack(rule.any_function, leak) &&
         (rule.leak.empty() || rule.leak == leak.id);
}

void leave_alone(Leak& leak, std::string_view reason) {
  leak.ignored = reason;
  leak.severity = Severity::info;
}

std::string beyond(const IgnoreRule& rule) {
  std::string text = "more than the " + std::to_string(*rule.up_to) + " that are accepted";
  if (rule.accepted) text += " since " + format_day(*rule.accepted);
  return text + ": " + rule.reason;
}

// To have been there for long is all that is said of it, and what it is meant for.
bool is_long_lived(const Leak& leak) {
  return !leak.has_grown && (leak.evidence == Evidence::stale || leak.evidence == Evidence::forever);
}

const ledger::LongLived* built_in_rule(const Leak& leak) {
  std::vector<std::string_view> stack;
  if (leak.blocked.stack != nullptr) {
    for (const ledger::Frame& frame : *leak.blocked.stack) stack.emplace_back(frame.function);
  }
  return ledger::find_long_lived(leak.blocked.function, leak.blocked.wait, stack);
}

}  // namespace

void apply(const IgnoreRules& rules, std::string_view service, std::chrono::system_clock::time_point now, Leak& leak) {
  const IgnoreRule* outgrown = nullptr;
  for (const IgnoreRule& rule : rules.rules) {
    if ((rule.until && now >= *rule.until) || !is_meant(rule, service, leak)) continue;
    // By the most that there were: a count that goes up and down must not make it speak and fall silent in turn.
    if (!rule.up_to || leak.peak <= *rule.up_to) return leave_alone(leak, rule.reason);
    if (outgrown == nullptr || *rule.up_to > *outgrown->up_to) outgrown = &rule;
  }
  if (outgrown != nullptr) {
    leak.outgrown = beyond(*outgrown);
  } else if (rules.built_in && is_long_lived(leak)) {
    if (const ledger::LongLived* known = built_in_rule(leak)) leave_alone(leak, known->reason);
  }
}

}  // namespace goleakd::verdict
