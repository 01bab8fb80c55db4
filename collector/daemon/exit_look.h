// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "snapshot/process_memory.h"
#include "snapshot/reader.h"
#include "target/process.h"
#include "target/procfs.h"
#include "verify/judge.h"

namespace goleakd::daemon {

// A Go program that stands at its exit, looked at again and again: who is left in it?
class ExitLook {
 public:
  // `thread` is the one that has called for the exit; `package` the import path of the main package, `tests_of` that of
  // the package under test.
  ExitLook(const target::Procfs& proc, target::GoProcess process, int thread, std::string package,
           std::string tests_of);

  // Errors as snapshot::Reader and Memory have them; also when goroutines changed while they were read, which another
  // look may do better. Borrows both for the call.
  Result<verify::Left> take(const verify::IgnoreRules& rules, const verify::Baseline& baseline);

 private:
  ledger::Goid exiting_goroutine(const snapshot::Snapshot& snapshot) const;
  bool single_processor() const;

  const target::Procfs& proc_;
  std::shared_ptr<const target::GoProcess> process_;
  snapshot::ProcessMemory memory_;
  snapshot::Reader reader_;
  std::uint64_t thread_;  // as the process itself sees it
  std::string package_;
  std::string tests_of_;
};

}  // namespace goleakd::daemon
