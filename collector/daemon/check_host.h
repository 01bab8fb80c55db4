// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "probe/calibration.h"
#include "probe/governor.h"
#include "target/procfs.h"
#include "text/check.h"

namespace goleakd::daemon {

// What this host allows (kernel, BPF, uprobes, capabilities, ptrace).
struct HostCheck {
  std::vector<text::CheckItem> items;
  std::string events_unavailable;  // why no process of this host can have events; empty when they can
  probe::Handling handling = probe::Handling::quick;
  probe::HitCost hit_cost = probe::kAssumedHitCost;
};
HostCheck check_host(const target::Procfs& proc);

}  // namespace goleakd::daemon
