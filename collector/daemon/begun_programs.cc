// SPDX-License-Identifier: Apache-2.0
#include "daemon/begun_programs.h"

#include <algorithm>
#include <array>
#include <climits>

#include "snapshot/process_memory.h"

namespace goleakd::daemon {

std::vector<verify::Program> BegunPrograms::killed(const target::Procfs& proc) const {
  std::vector<verify::Program> killed;
  for (const auto& [life, program] : begun_) {
    const auto now = proc.identity(life.first);
    if (now && now->start_ticks == life.second) continue;
    killed.push_back(program);
    killed.back().outcome = verify::Program::Outcome::killed;
  }
  return killed;
}

Result<std::string> file_to_execute(const target::Procfs& proc, int pid, std::uint64_t address) {
  constexpr std::uint64_t kPage = 4096;  // behind a page's end nothing need be mapped
  const snapshot::ProcessMemory memory(pid);
  std::string path;
  while (path.size() < PATH_MAX) {
    std::array<std::uint8_t, kPage> bytes{};
    const auto part = std::span(bytes).first(kPage - address % kPage);
    if (auto ok = memory.read(address, part); !ok) return fail(ok.error());
    const auto end = std::ranges::find(part, 0);
    path.append(part.begin(), end);
    if (end != part.end()) return proc.path_as_seen_by(pid, path);
    address += part.size();
  }
  return fail(ErrorKind::invalid, "process " + std::to_string(pid) + " executes a path without an end");
}

}  // namespace goleakd::daemon
