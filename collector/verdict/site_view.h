// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/ledger.h"
#include "verdict/group.h"
#include "verdict/growth.h"

namespace goleakd::verdict {

// All goroutines that one `go` statement has started and that still live, whatever they do.
struct SiteView {
  const ledger::CreationSite* creation = nullptr;  // owned by the ledger
  std::uint64_t live = 0;
  std::uint64_t awake = 0;
  std::array<std::uint64_t, kScales> survived{};  // by Scale: of live, those born by the given goid
  std::uint64_t stack_bytes = 0;
  std::optional<ledger::ParkAge> oldest;
  std::vector<ledger::Goid> eldest;
};

// By site id. `born`: goids by Scale.
std::map<std::string, SiteView> sites_of(std::string_view service, const ledger::Ledger& ledger,
                                         std::span<const ledger::Goid, kScales> born);

// The site as a group: for verdicts on whether its goroutines end, not on where they wait. `at`: the place that they
// are shown at, which must outlive the group.
Group as_group(std::string leak, const std::string& site, const SiteView& view, const ledger::BlockedPlace& at);

}  // namespace goleakd::verdict
