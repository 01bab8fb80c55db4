// SPDX-License-Identifier: Apache-2.0
#include "verify/ignore.h"

#include <algorithm>
#include <string_view>

#include "verify/long_lived.h"

namespace goleakd::verify {

bool IgnoreRules::apply_to(const ledger::GoroutineDump& g) const {
  const auto one_of = [](const std::vector<NamePattern>& patterns, std::string_view function) {
    return std::ranges::any_of(patterns, [&](const NamePattern& pattern) { return pattern.matches(function); });
  };
  return one_of(top, top_function(g)) || (g.created_by && one_of(created_by, g.created_by->frame.function)) ||
         any_function(g, [&](std::string_view function) { return one_of(any, function); });
}

}  // namespace goleakd::verify
