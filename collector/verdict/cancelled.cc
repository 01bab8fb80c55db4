// SPDX-License-Identifier: Apache-2.0
#include "verdict/cancelled.h"

#include <algorithm>
#include <string>
#include <utility>

namespace goleakd::verdict {
namespace {

constexpr std::size_t kSamples = 5;

}  // namespace

std::vector<ledger::Goid> Cancellations::unclear(const ledger::Ledger& ledger, Instant now, std::size_t most) {
  if (ledger.held() > kMaxGoroutines) return {};
  std::vector<ledger::Goid> goids = ledger.resting(now - after_, asked_, most);
  asked_ = goids.size() < most ? 0 : goids.back();
  std::erase_if(goids, [&](ledger::Goid goid) { return known_.contains(goid); });
  return goids;
}

void Cancellations::looked(std::span<const ContextLook> looks, Instant at) {
  looked_ = at;
  for (const ContextLook& look : looks) {
    if (known_.size() < kMaxKnown) known_.try_emplace(look.goid, Known{look, at});
  }
}

void Cancellations::observe(const ledger::Ledger& ledger) {
  std::erase_if(known_, [&](const auto& entry) {
    const auto goroutine = ledger.goroutine(entry.first);
    return !goroutine || !goroutine->rests_since(entry.second.at);
  });
}

std::map<std::string, Cancelled> Cancellations::by_leak(std::string_view service, const ledger::Ledger& ledger,
                                                        Instant now) const {
  std::map<std::string, Cancelled> leaks;
  for (const auto& [goid, known] : known_) {
    const auto goroutine = ledger.goroutine(goid);
    if (!goroutine || goroutine->place == nullptr || known.at > now - after_) continue;
    Cancelled& cancelled = leaks[leak_id(service, *goroutine->creation, *goroutine->place)];
    if (cancelled.count == 0 || known.at < cancelled.at_least_since) {
      cancelled.frame = known.look.frame;
      cancelled.deadline = known.look.deadline;
      cancelled.at_least_since = known.at;
    }
    ++cancelled.count;
    if (cancelled.goroutines.size() < kSamples) cancelled.goroutines.push_back(goid);
  }
  return leaks;
}

}  // namespace goleakd::verdict
