// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "target/procfs.h"

namespace goleakd::target {

// Why this process may not look into process `pid` (its executable, mappings or memory), after the kernel has said so,
// and what would help: whose it is, which capability is missing, what Yama forbids. Of kind permission.
Error access_denied(const Procfs& proc, int pid);

}  // namespace goleakd::target
