// SPDX-License-Identifier: Apache-2.0
#include "target/memory_limit.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace goleakd::target {

std::uint64_t memory_limit(const Procfs& proc, int pid, const std::string& cgroup_root) {
  std::uint64_t lowest = proc.memory_total();
  std::filesystem::path group = proc.cgroup(pid);
  for (; group.has_relative_path(); group = group.parent_path()) {
    std::ifstream file(cgroup_root / group.relative_path() / "memory.max");
    std::uint64_t bytes = 0;
    if (file >> bytes) lowest = lowest == 0 ? bytes : std::min(lowest, bytes);  // "max" is no number
  }
  return lowest;
}

}  // namespace goleakd::target
