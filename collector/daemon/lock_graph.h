// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "snapshot/memory.h"
#include "snapshot/snapshot.h"
#include "target/process.h"
#include "verdict/lock_graph.h"

namespace goleakd::daemon {

// Who waits for which lock or wait group, and who may hold it. Of a snapshot that was taken with its raw fields a
// moment ago: reads on in the process's memory.
verdict::LockGraph read_lock_graph(const target::GoProcess& process, const snapshot::Memory& memory,
                                   const snapshot::Snapshot& snapshot);

}  // namespace goleakd::daemon
