// SPDX-License-Identifier: Apache-2.0
#include "verdict/engine.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace goleakd::verdict {
namespace {

// Worst first: page before ticket before info, then leaking before suspect before resolved, then the larger.
bool worse(const Leak& a, const Leak& b) {
  const auto stage = [](const Leak& leak) {
    return leak.stage == Stage::leaking ? 0 : leak.stage == Stage::suspect ? 1 : 2;
  };
  return std::tuple(b.severity, stage(a), b.count, a.id) < std::tuple(a.severity, stage(b), a.count, b.id);
}

}  // namespace

Engine::Engine(std::string service, Thresholds thresholds)
    : service_(std::move(service)), thresholds_(thresholds), window_(thresholds) {}

void Engine::observe(const ledger::Ledger& ledger, const ProcessFacts& process, Instant now) {
  const Duration interval = thresholds_.interval();
  const auto groups = groups_of(service_, ledger,
                                {.aged = now - interval,
                                 .survived = evaluated_.value_or(now) - interval,
                                 .stale = now - thresholds_.stale_after});
  // Snapshots do not come to the nanosecond: one that is a little early must not cost a whole snapshot interval.
  if (!evaluated_ || now - *evaluated_ >= interval - interval / 20) {
    evaluate(groups, ledger, process, now);
  } else {
    for (auto& [id, finding] : findings_) {
      const auto group = groups.find(id);
      finding.refresh(group == groups.end() ? nullptr : &group->second);
    }
  }
  leaks_.clear();
  for (const auto& [id, finding] : findings_) leaks_.push_back(finding.leak());
  std::sort(leaks_.begin(), leaks_.end(), worse);
}

void Engine::evaluate(const std::map<std::string, Group>& groups, const ledger::Ledger& ledger,
                      const ProcessFacts& process, Instant now) {
  std::map<std::string, std::uint64_t> live;
  for (const ledger::CreationView& view : ledger.creations()) live[site_id(service_, *view.site)] += view.live;
  window_.add(now, groups, live);
  evaluated_ = now;
  const bool growth_known = window_.complete(process.started + thresholds_.quiet_after_start);
  if (growth_known) growth_checked_ = now;
  const auto growth_of = [&](const std::string& leak, const std::string& site) {
    return growth_known ? std::optional(window_.of(leak, site)) : std::nullopt;
  };

  for (const auto& [id, group] : groups) {
    if (findings_.contains(id)) continue;
    const Judgement judgement = judge(group, growth_of(id, group.site_id));
    if (judgement.evidence) findings_.emplace(id, Finding(group, *judgement.evidence, now));
  }
  for (auto it = findings_.begin(); it != findings_.end();) {
    auto& [id, finding] = *it;
    const auto found = groups.find(id);
    const Group* group = found == groups.end() ? nullptr : &found->second;
    const Judgement judgement = group == nullptr ? Judgement{} : judge(*group, growth_of(id, group->site_id));
    const Stage before = finding.leak().stage;
    const bool stays = finding.evaluate(group, judgement, process, thresholds_, now);
    if (before != Stage::leaking && finding.leak().stage == Stage::leaking) ++detected_;
    it = stays ? std::next(it) : findings_.erase(it);
  }
}

std::optional<Instant> Engine::last_run(Evidence check) const {
  return check == Evidence::growing ? growth_checked_ : evaluated_;
}

}  // namespace goleakd::verdict
