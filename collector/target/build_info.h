// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "target/go_version.h"

namespace goleakd::target {

// What `go version -m` shows (src/debug/buildinfo).
struct BuildInfo {
  GoVersion version;
  std::string path;                             // of the main package
  std::string module;                           // path of the main module; empty when built outside one
  std::string module_version;                   // of it; "(devel)" when it was built from a checkout
  std::map<std::string, std::string> settings;  // "-race" → "true", "GOARCH" → "amd64", …

  // From the contents of section .go.buildinfo, as Go 1.18 and later write it (strings inline). The older form, which
  // points elsewhere, is unsupported; anything malformed is invalid.
  static Result<BuildInfo> parse(ByteSpan section);
};

}  // namespace goleakd::target
