// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "target/procfs.h"

namespace goleakd::target {

// How much memory a process may use before somebody kills it, in bytes: the lowest memory.max of its cgroup and those
// above it (unified hierarchy, mounted at `cgroup_root`), else all of the machine's. 0 when neither is known.
std::uint64_t memory_limit(const Procfs& proc, int pid, const std::string& cgroup_root = "/sys/fs/cgroup");

}  // namespace goleakd::target
