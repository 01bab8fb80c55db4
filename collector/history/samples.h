// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/result.h"
#include "history/database.h"
#include "history/resolution.h"

namespace goleakd::history {

// What lives in the table `sample`, and how it ages. Each function is a transaction, or several, of its own.

// Makes samples that are too old for their tier coarser, and ends those too old for the last. A part of the work, so
// that no transaction is large: true when there is more to do.
Result<bool> roll_up(Database& database, const Tiers& tiers, Seconds now);

// What was deleted because the file would have become larger than it may.
struct Trimmed {
  std::uint64_t samples = 0;
  std::uint64_t runs = 0;   // that had no samples any more, and in which no leak was seen
  std::uint64_t leaks = 0;  // that had ended, with their life cycles
  bool any() const { return samples + runs + leaks > 0; }
};

// Deletes until no more than `pages` of the file are in use: the oldest of the finest samples first, then of coarser
// ones, then runs, then leaks that have ended. It adds to table `lost` what that was. Gives up when nothing is left to
// delete.
Result<Trimmed> trim(Database& database, std::int64_t pages);

}  // namespace goleakd::history
