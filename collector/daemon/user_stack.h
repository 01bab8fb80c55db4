// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ledger/site.h"
#include "snapshot/traceback.h"
#include "target/process.h"

namespace goleakd::daemon {

// The frames behind return addresses that a probe has collected, innermost first: run-time addresses.
std::vector<snapshot::LogicalFrame> frames_at(const target::GoProcess& process,
                                              std::span<const std::uint64_t> return_addresses);

// As the runtime's tracebacks show them.
std::vector<ledger::Frame> shown_stack(const target::GoProcess& process,
                                       const std::vector<snapshot::LogicalFrame>& frames);

// The innermost one that is the program's own (snapshot::blocked_frame); empty where there is none.
ledger::Frame innermost_of_program(const std::vector<snapshot::LogicalFrame>& frames);

}  // namespace goleakd::daemon
