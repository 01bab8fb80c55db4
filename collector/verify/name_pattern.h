// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace goleakd::verify {

// A function's whole name as tracebacks print it ("net/http.(*persistConn).readLoop"), or the beginning of names and a
// '*' at the end. A '*' anywhere else is part of the name: pointer receivers have one.
class NamePattern {
 public:
  // invalid for a text that would match nothing, or everything.
  static Result<NamePattern> parse(std::string_view text);
  bool matches(std::string_view function) const;

 private:
  NamePattern(std::string_view text, bool beginning) : text_(text), beginning_(beginning) {}

  std::string text_;
  bool beginning_;
};

}  // namespace goleakd::verify
