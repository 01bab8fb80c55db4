// SPDX-License-Identifier: Apache-2.0
#include "daemon/snapshot_budget.h"

#include <algorithm>
#include <vector>

namespace goleakd::daemon {
namespace {

constexpr double kSuspectWeight = 4;

double ratio(Duration part, Duration whole) {
  return static_cast<double>(part.count()) / static_cast<double>(whole.count());
}

}  // namespace

void SnapshotBudget::spent(int pid, Duration cpu, Duration interval, bool suspect, Instant now) {
  targets_[pid] = {.cost = std::max(cpu, Duration(1)),
                   .wished = std::max(interval, Duration(1)),
                   .suspect = suspect,
                   .last = now,
                   .interval = interval};
  share_out();
}

void SnapshotBudget::change(double max_cpu) {
  max_cpu_ = max_cpu;
  share_out();
}

bool SnapshotBudget::allows(int pid, Instant now) const {
  const auto target = targets_.find(pid);
  return target == targets_.end() || now - target->second.last >= target->second.interval;
}

Duration SnapshotBudget::interval(int pid) const {
  const auto target = targets_.find(pid);
  return target == targets_.end() ? Duration::zero() : target->second.interval;
}

// From the most modest wish (for its weight) to the least: what is granted to one is what it wishes, as long as an
// equal share of what is left is more than that.
void SnapshotBudget::share_out() {
  struct Claim {
    Target* target;
    double weight;
    double wish;  // share of a core
  };
  std::vector<Claim> claims;
  double weights = 0;
  for (auto& [pid, target] : targets_) {
    const double weight = target.suspect ? kSuspectWeight : 1;
    claims.push_back({.target = &target, .weight = weight, .wish = ratio(target.cost, target.wished)});
    weights += weight;
  }
  std::ranges::sort(claims, {}, [](const Claim& claim) { return claim.wish / claim.weight; });
  double left = max_cpu_;
  for (const Claim& claim : claims) {
    const double granted = std::min(claim.wish, left * claim.weight / weights);
    Target& target = *claim.target;
    target.interval = granted < claim.wish
                          ? Duration(static_cast<Duration::rep>(static_cast<double>(target.cost.count()) / granted))
                          : target.wished;
    left -= granted;
    weights -= claim.weight;
  }
}

}  // namespace goleakd::daemon
