// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace goleakd::target {

// "go1.24.4 X:loopvar", since Go 1.26 "go1.26.4-X:loopvar": minor 24 and 26. The whole text is kept.
struct GoVersion {
  int minor = 0;
  std::string text;
  std::vector<std::string> experiments{};  // "X:a,b", sorted; each may change the runtime's structs
  bool development = false;                // "devel go1.28-…", "go1.28rc1": a runtime like no release's
  bool patched = false;                    // a vendor's mark ("go1.22.5-fips"): what the vendor changed is not known

  // Nothing when it is no Go 1.
  static std::optional<GoVersion> parse(std::string_view text);
};

}  // namespace goleakd::target
