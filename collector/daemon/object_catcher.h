// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "daemon/catching_probe.h"
#include "daemon/object_touches.h"
#include "probe/plan.h"
#include "probe/prober.h"
#include "target/process.h"

namespace goleakd::daemon {

// Catches, in one process, those who touch the objects that suspects' goroutines wait on, a few in each way in every
// turn, and keeps their stacks.
class ObjectCatcher {
 public:
  // Borrows `process`.
  explicit ObjectCatcher(const target::GoProcess& process);

  // As ObjectTouches::wait_at().
  void wait_at(ObjectTouches::Addresses addresses, Instant begin, Instant end);

  // As the probe's own. True when it has just been put in: a look soon tells much.
  bool adjust(probe::Prober& prober, const probe::Plan& plan, Duration turn, std::uint32_t window_hits, Instant now);
  void add(const probe::Caught& caught);

  const CatchingProbe& probe() const { return probe_; }
  const ObjectTouches& touches() const { return touches_; }

 private:
  const target::GoProcess& process_;
  CatchingProbe probe_;
  ObjectTouches touches_;
};

}  // namespace goleakd::daemon
