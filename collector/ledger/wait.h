// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace goleakd::ledger {

// goleakd's own classes of waiting. The runtime's wait reasons are finer and their numbers and texts change between Go
// versions; these do not, because leak ids are made of them (design: verdicts). Add at the end only.
enum class WaitClass : std::uint8_t {
  none,  // not waiting: running, runnable, or its reason is not known
  chan_send,
  chan_receive,
  chan_send_nil,
  chan_receive_nil,
  select,
  select_no_cases,
  mutex,
  rwmutex_read,
  rwmutex_write,
  wait_group,
  cond,
  semaphore,
  io,
  sleep,
  syscall,
  coroutine,
  runtime,  // the runtime's own business: garbage collection, finalizers, preemption
};

// From the text of runtime.waitReason ("chan receive (nil chan)", "sync.Mutex.Lock", …; src/runtime/runtime2.go). Texts
// of testing/synctest ("… (durable)") fall in the class of their plain form. "semacquire" is semaphore: before Go 1.20
// the runtime says so for mutexes and wait groups too.
WaitClass wait_class_of(std::string_view wait_reason);

// A fixed snake_case word for each class; part of ids, metrics and JSON.
std::string_view to_string(WaitClass wait);

// Nothing in the program can end such a wait, whatever it does.
constexpr bool is_forever(WaitClass wait) {
  return wait == WaitClass::chan_send_nil || wait == WaitClass::chan_receive_nil || wait == WaitClass::select_no_cases;
}

}  // namespace goleakd::ledger
