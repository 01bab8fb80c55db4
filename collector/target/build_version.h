// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "target/elf_file.h"
#include "target/go_version.h"
#include "target/pclntab.h"

namespace goleakd::target {

// The Go version of a program without build information (some strip it): the string runtime.buildVersion, found by
// symbol, else by the one place that repairs it when it is empty, in runtime.schedinit (src/runtime/proc.go). Needs
// the link tables of `elf`. unsupported when it is not there or no version.
Result<GoVersion> version_from_code(const ElfFile& elf, const Pclntab& functions);

}  // namespace goleakd::target
