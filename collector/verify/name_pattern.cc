// SPDX-License-Identifier: Apache-2.0
#include "verify/name_pattern.h"

namespace goleakd::verify {

Result<NamePattern> NamePattern::parse(std::string_view text) {
  const bool beginning = text.ends_with('*');
  const std::string_view name = beginning ? text.substr(0, text.size() - 1) : text;
  if (name.empty()) {
    return fail(ErrorKind::invalid, "\"" + std::string(text) +
                                        "\" is no function's name: give it whole, as tracebacks print it, or its "
                                        "beginning and a *");
  }
  return NamePattern(name, beginning);
}

bool NamePattern::matches(std::string_view function) const {
  return beginning_ ? function.starts_with(text_) : function == text_;
}

}  // namespace goleakd::verify
