// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "probe/prober.h"
#include "snapshot/traceback.h"

namespace goleakd::daemon {

// What somebody who was caught was doing, in a word, and the frames from the program's own function on that did it:
// those of the operation itself, and the plumbing above them, are taken away.

// Who wakes a goroutine: "send", "receive", "close", "select", "unlock", "done", "signal", "broadcast" or "timer";
// empty when it is none of these, and then all frames stay.
std::string take_wake(std::vector<snapshot::LogicalFrame>& frames);

// Who touches an object: "send", "receive", "close", "select send", "select receive", "lock", "wait", "unlock", "done",
// "signal", "broadcast", or "acquire" and "release" of a semaphore that is none of sync's.
std::string take_touch(const probe::Caught& caught, std::vector<snapshot::LogicalFrame>& frames);

}  // namespace goleakd::daemon
