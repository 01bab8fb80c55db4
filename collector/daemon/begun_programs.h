// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "target/procfs.h"
#include "verify/report.h"

namespace goleakd::daemon {

// A process, but for what it executes: pid and start time.
using ProcessLife = std::pair<int, std::uint64_t>;

// Go programs that have begun and have not come to an exit. Those that are gone in the end were killed: nobody is told
// of that, and it must not look as if there had been no such program.
class BegunPrograms {
 public:
  void begin(const ProcessLife& life, verify::Program program) { begun_[life] = std::move(program); }
  // It has come to its exit, or executes another program.
  void end(const ProcessLife& life) { begun_.erase(life); }
  std::vector<verify::Program> killed(const target::Procfs& proc) const;

 private:
  std::map<ProcessLife, verify::Program> begun_;
};

// The file that a process is about to execute, by a path that leads there from here; `address` is that of its path in
// the process's memory.
Result<std::string> file_to_execute(const target::Procfs& proc, int pid, std::uint64_t address);

}  // namespace goleakd::daemon
