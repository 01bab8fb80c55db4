// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace goleakd::target {

// "go1.24.4 X:loopvar": minor 24. The whole text is kept: experiments and vendor marks are part of it.
struct GoVersion {
  int minor = 0;
  std::string text;

  // Nothing when it is no release of Go 1 ("devel …" has no number to go by).
  static std::optional<GoVersion> parse(std::string_view text);
};

}  // namespace goleakd::target
