// SPDX-License-Identifier: Apache-2.0
#include "history/sites.h"

namespace goleakd::history {

Result<std::int64_t> Sites::row(Database& database, std::int64_t service, const std::string& key,
                                const ledger::CreationSite& site) {
  const std::string known_by = key + ":" + std::to_string(site.line) + ":" + site.entry;
  if (const auto known = known_.find(known_by); known != known_.end()) return known->second;
  auto row = database.number(
      "INSERT INTO site (service, key, function, ordinal, file, line, entry) VALUES (?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (key) DO UPDATE SET file = excluded.file, line = excluded.line, "
      "entry = CASE excluded.entry WHEN '' THEN entry ELSE excluded.entry END RETURNING id",
      {service, std::string_view(key), std::string_view(site.function), std::int64_t{site.ordinal},
       std::string_view(site.file), std::int64_t{site.line}, std::string_view(site.entry)});
  if (row) known_[known_by] = *row;
  return row;
}

}  // namespace goleakd::history
