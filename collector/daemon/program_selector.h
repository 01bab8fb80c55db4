// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "target/binary_cache.h"
#include "target/procfs.h"
#include "verify/report.h"

namespace goleakd::daemon {

// Which programs `goleakd verify` is to judge (docs/verify.md).
class ProgramSelector {
 public:
  // Borrows all three. `only`: globs of verify::is_selected; none: what is no tool.
  ProgramSelector(const target::Procfs& proc, target::BinaryCache& binaries, const std::vector<std::string>& only)
      : proc_(proc), binaries_(binaries), only_(only) {}

  // What the binary tells of it.
  static verify::Program describe(int pid, std::string exe, const target::GoBinary& binary);
  bool selects(const verify::Program& program);

 private:
  bool below_a_test(int pid);

  const target::Procfs& proc_;
  target::BinaryCache& binaries_;
  const std::vector<std::string>& only_;
};

}  // namespace goleakd::daemon
