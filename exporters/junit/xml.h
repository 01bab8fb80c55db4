// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace goleakd::junit {

// `text` for the content of an element or, in double quotes, the value of an attribute, where line ends and tabs are
// kept as well. What is not UTF-8, and what XML 1.0 has no way to say (most control characters), becomes U+FFFD.
std::string xml_escaped(std::string_view text);

}  // namespace goleakd::junit
