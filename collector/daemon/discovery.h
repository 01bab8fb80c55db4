// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/config.h"
#include "target/process.h"
#include "target/procfs.h"
#include "verdict/report.h"

namespace goleakd::daemon {

// Finds the Go processes of this host that the configuration selects, by looking through /proc. A process is what it is
// until it ends or executes another program.
class Discovery {
 public:
  Discovery(target::Procfs proc, Config::Targets targets) : proc_(std::move(proc)), targets_(std::move(targets)) {}

  struct Changes {
    std::vector<std::shared_ptr<const target::GoProcess>> appeared;
    std::vector<int> ended;  // pids of processes that had appeared
  };
  Changes scan();

  // Go processes that cannot be watched, with the reason. Only those that are running.
  std::vector<verdict::UnsupportedReport> unsupported() const;

 private:
  struct Seen {
    target::ProcessIdentity identity;
    std::string exe;
    bool watched = false;
    std::string unsupported;  // why not
    std::string kind;
  };

  bool selected(int pid, const std::string& exe) const;
  // False: it was in the middle of something, look again.
  bool look_at(int pid, Seen& seen, Changes& changes);

  target::Procfs proc_;
  Config::Targets targets_;
  target::BinaryCache binaries_;
  std::map<int, Seen> seen_;
};

}  // namespace goleakd::daemon
