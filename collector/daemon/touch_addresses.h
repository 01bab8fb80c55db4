// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "bpf/wire.h"
#include "ledger/goroutine_dump.h"
#include "target/layout.h"

namespace goleakd::daemon {

// The addresses that the runtime is given by those who touch what goroutines of one leak wait on.
struct TouchAddresses {
  struct Wait {
    goleakd_kind kind{};  // what those who wait there have come to do
    bool alone = false;   // they go on only by what is done there, while another case of a select may let them go, or
                          // another part of a lock
  };
  std::map<std::uint64_t, Wait> at;
  std::vector<std::uint64_t> siblings;  // g.gopc of those who wait

  // Of a channel its own, of a lock or a wait group those of its semaphores, of a sync.Cond that of its list, of a
  // select those of its channels. None of what no probe sees: timers, descriptors, system calls.
  void add(const target::Layout& layout, const ledger::ObjectDump& object);
};

}  // namespace goleakd::daemon
