// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"
#include "history/database.h"
#include "ledger/site.h"

namespace goleakd::history {

// Rows of the table site.
class Sites {
 public:
  // The row of a creation site, made or brought up to date where that has not been done yet: lines move.
  Result<std::int64_t> row(Database& database, std::int64_t service, const std::string& key,
                           const ledger::CreationSite& site);

 private:
  std::map<std::string, std::int64_t> known_;  // by key, with the line, for versions differ in it
};

}  // namespace goleakd::history
