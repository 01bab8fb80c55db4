// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "probe/prober.h"
#include "target/process.h"
#include "verdict/report.h"

namespace goleakd::daemon {

// Who starts the goroutines of suspects: for each creation site of one process the stacks of the first few goroutines
// that were caught executing its `go` statement.
class SpawnStacks {
 public:
  explicit SpawnStacks(const target::GoProcess& process) : process_(process) {}

  // A suspect's site, and the addresses of its `go` statement: several where its function was inlined.
  void want(const std::string& site_id, const std::vector<std::uint64_t>& gopcs);
  // What is still to be caught.
  std::vector<probe::WantedSpawner> wanted() const;
  void add(const probe::Spawner& spawner);

  // By site_id; most frequent first.
  const std::map<std::string, std::vector<verdict::SpawnedFrom>>& known() const { return known_; }

 private:
  std::uint64_t caught(const std::string& site_id) const;

  const target::GoProcess& process_;
  std::map<std::uint64_t, std::string> sites_;  // site_id by gopc
  std::map<std::string, std::vector<verdict::SpawnedFrom>> known_;
};

}  // namespace goleakd::daemon
