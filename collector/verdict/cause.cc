// SPDX-License-Identifier: Apache-2.0
#include "verdict/cause.h"

#include <string_view>

#include "verdict/library_cause.h"

namespace goleakd::verdict {
namespace {

using ledger::WaitClass;

// Go before 1.20 says "semacquire" for every lock, Go before 1.24 for wait groups: which one it is stands on the stack.
Cause semaphore_cause(const ledger::BlockedPlace& place) {
  if (place.stack) {
    for (const ledger::Frame& frame : *place.stack) {
      const std::string_view function = frame.function;
      if (function.starts_with("sync.(*WaitGroup).")) return Cause::wait_group_never_done;
      if (function.starts_with("sync.(*Mutex).") || function.starts_with("sync.(*RWMutex).")) {
        return Cause::mutex_never_released;
      }
    }
  }
  return Cause::semaphore_never_released;
}

Cause send_cause(const Group& group) {
  if (group.with_object == 0) return Cause::unknown;
  // Channels of both kinds may stand at one place; the more common one speaks.
  return 2 * group.unbuffered >= group.with_object ? Cause::send_unbuffered_no_receiver : Cause::send_buffer_full;
}

}  // namespace

Cause cause_of(const Group& group, Evidence evidence) {
  if (const auto known = library_cause(group)) return *known;
  const WaitClass wait = group.place->wait;
  // Those that come back to the network or from C have something to wait for.
  if (speaks_of_site(evidence) && wait != WaitClass::io && wait != WaitClass::syscall) return Cause::loop_without_exit;
  switch (wait) {
    case WaitClass::chan_send:
      return send_cause(group);
    case WaitClass::chan_receive:
      return group.place->in_loop ? Cause::range_never_closed : Cause::receive_never_satisfied;
    case WaitClass::chan_send_nil:
    case WaitClass::chan_receive_nil:
      return Cause::nil_channel;
    case WaitClass::select:
      return Cause::select_without_exit;
    case WaitClass::select_no_cases:
      return Cause::select_no_cases;
    case WaitClass::mutex:
    case WaitClass::rwmutex_read:
    case WaitClass::rwmutex_write:
      return Cause::mutex_never_released;
    case WaitClass::wait_group:
      return Cause::wait_group_never_done;
    case WaitClass::cond:
      return Cause::cond_never_signalled;
    case WaitClass::semaphore:
      return semaphore_cause(*group.place);
    case WaitClass::io:
      return Cause::io_wait;
    case WaitClass::sleep:
      return Cause::sleeping;
    case WaitClass::syscall:
      return Cause::syscall;
    case WaitClass::coroutine:
      return Cause::coroutine_never_stopped;
    case WaitClass::none:
    case WaitClass::runtime:
      return Cause::unknown;
  }
  return Cause::unknown;
}

}  // namespace goleakd::verdict
