// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "history/database.h"
#include "history/life.h"
#include "history/resolution.h"
#include "history/runs.h"
#include "history/sites.h"
#include "verdict/report.h"

namespace goleakd::history {

// Rows of the tables leak, leak_run and leak_change: the life cycle of every leak, one for all processes of its
// service.
class Lives {
 public:
  static Result<Lives> load(Database& database);

  // One look. Changes are written down as they are seen; counts, which change all the time, only `with_counts`.
  Result<void> see(Database& database, const verdict::Report& report, const Runs& runs, Sites& sites, Seconds now,
                   bool with_counts);

  // Of every leak that is known, by its id. Another one after each change.
  const std::shared_ptr<const verdict::FirstSeen>& first_seen() const { return first_seen_; }
  // The creation site belongs to a leak that is there.
  bool is_of_leak(const std::string& site_key) const { return leaking_sites_.contains(site_key); }

 private:
  struct Life {
    std::int64_t row = 0;
    std::string site;  // key
    LifeStage stage = LifeStage::leaking;
    std::map<std::int64_t, std::uint64_t> runs;  // in which it was leaking, and which may go on; with its peak there
    std::string words;                           // severity, evidence and cause of the newest change
  };
  struct Told;  // what the processes of one look say of one leak

  Result<void> begin(Database& database, const std::string& id, const Told& told, std::int64_t site, Seconds now);
  Result<void> follow(Database& database, Life& life, const Told* told, const verdict::Report& report, const Runs& runs,
                      Seconds now, bool with_counts);
  Result<void> note_runs(Database& database, Life& life, const Told& told, Seconds now, bool with_counts);
  void list_first_seen(const std::string& id, Seconds first_seen);

  std::map<std::string, Life> lives_;  // by leak id
  std::map<std::string, int> leaking_sites_;
  std::shared_ptr<const verdict::FirstSeen> first_seen_ = std::make_shared<verdict::FirstSeen>();
};

}  // namespace goleakd::history
