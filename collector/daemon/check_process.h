// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "daemon/check_host.h"
#include "target/process.h"
#include "text/check.h"

namespace goleakd::daemon {

// How far one process can be watched: what can be read of it, and which probes fit the default budget at its present
// rates, which takes a second to tell.
std::vector<text::CheckItem> check_process(const target::Procfs& proc,
                                           const std::shared_ptr<const target::GoProcess>& process,
                                           const HostCheck& host);

}  // namespace goleakd::daemon
