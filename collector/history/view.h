// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "history/database.h"
#include "history/life.h"
#include "history/resolution.h"
#include "history/slow_leak.h"
#include "ledger/site.h"

namespace goleakd::history {

// What a history file tells, as values. Words (severity, evidence, cause, wait) are those of verdict/leak.h: the file
// may be older than the program that reads it.

struct Version {
  std::string build_id;
  std::string go_version;
  std::string module;
  std::string module_version;
  Seconds first_seen = 0;
  Seconds last_seen = 0;
  Seconds watched = 0;  // of all its processes together

  // For people: the module's version where the build tells one, else the beginning of the build id.
  std::string name() const;
};

struct Change {
  Seconds at = 0;
  LifeStage stage{};
  std::string severity;
  std::string evidence;
  std::string cause;
  std::uint64_t count = 0;
};

// Goroutines of a creation site in all processes of its service, over a while.
struct Count {
  Seconds at = 0;
  Seconds seconds = 0;
  double mean = 0;
  std::uint64_t most = 0;  // at once, in one process
};

struct LifeCycle {
  std::string id;  // leak_id
  std::string site_id;
  std::string service;
  ledger::CreationSite creation;
  std::string function;  // where they are stuck
  std::string file;
  int line = 0;
  std::string wait;
  std::string reason;
  LifeStage stage{};
  std::string severity;
  std::string evidence;
  std::string cause;
  std::string reasoning;
  std::string ignored;
  std::uint64_t count = 0;
  std::uint64_t peak = 0;
  std::uint64_t bytes = 0;
  Seconds first_seen = 0;
  Seconds last_seen = 0;
  std::vector<Change> changes;    // oldest first; the newest hundred
  std::uint64_t processes = 0;    // in which it was seen
  std::vector<Version> versions;  // likewise, oldest first; the first is the one since which it is there
  std::optional<Version> before;  // the newest version older than all those: without it
  std::vector<Count> counts;      // oldest first; where nobody looked there is none
};

struct SlowLeak {
  std::string service;
  std::string site_id;
  ledger::CreationSite creation;
  SlowTrend trend;
  std::vector<std::string> leaks;  // ids of life cycles of the same `go` statement: it is known, then
};

struct View {
  std::string path;
  std::optional<Seconds> written;             // the newest look
  std::vector<LifeCycle> leaks;               // those that are there first, worst first, then newest first
  std::vector<SlowLeak> slow_leaks;           // steepest first
  std::map<std::string, std::uint64_t> lost;  // rows by what they were, deleted to keep the file within its size
};

// Leaks whose `go` statement's goroutines rise with uptime in each process, of every service.
Result<std::vector<SlowLeak>> slow_leaks(Database& database, const SlowLeakThresholds& thresholds);

// Everything, or what is known of the service whose process `pid` is, or was last.
Result<View> read_view(Database& database, std::optional<int> pid, Seconds now);

}  // namespace goleakd::history
