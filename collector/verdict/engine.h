// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "ledger/ledger.h"
#include "verdict/finding.h"
#include "verdict/group.h"
#include "verdict/growth.h"
#include "verdict/leak.h"
#include "verdict/process_facts.h"
#include "verdict/thresholds.h"

namespace goleakd::verdict {

// Judges one process. observe() after every snapshot; it evaluates when an interval (Thresholds::interval) has passed
// since the last evaluation, and otherwise only refreshes counts. Pure and deterministic: the same observations give
// the same leaks.
class Engine {
 public:
  Engine(std::string service, Thresholds thresholds);

  void observe(const ledger::Ledger& ledger, const ProcessFacts& process, Instant now);

  // Worst first (severity, then stage, then count). Suspects too: whoever shows them says so.
  const std::vector<Leak>& leaks() const { return leaks_; }
  // Findings that have become leaking, ever.
  std::uint64_t detected() const { return detected_; }
  // When each check last ran, for goleakd_check_last_run_timestamp_seconds: empty until it has run once. Growth can't
  // be checked before a whole window has been watched, after the quiet time of the process.
  std::optional<Instant> last_run(Evidence check) const;

 private:
  void evaluate(const std::map<std::string, Group>& groups, const ledger::Ledger& ledger, const ProcessFacts& process,
                Instant now);

  std::string service_;
  Thresholds thresholds_;
  GrowthWindow window_;
  std::map<std::string, Finding> findings_;  // by leak id
  std::vector<Leak> leaks_;
  std::uint64_t detected_ = 0;
  std::optional<Instant> evaluated_;
  std::optional<Instant> growth_checked_;
};

}  // namespace goleakd::verdict
