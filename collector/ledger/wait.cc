// SPDX-License-Identifier: Apache-2.0
#include "ledger/wait.h"

#include <array>
#include <utility>

namespace goleakd::ledger {
namespace {

using Text = std::pair<std::string_view, WaitClass>;

// Go 1.19 to 1.27. What the runtime waits for on its own behalf is in kRuntimeReasons.
constexpr std::array<Text, 15> kReasons{{
    {"IO wait", WaitClass::io},
    {"chan receive", WaitClass::chan_receive},
    {"chan receive (nil chan)", WaitClass::chan_receive_nil},
    {"chan send", WaitClass::chan_send},
    {"chan send (nil chan)", WaitClass::chan_send_nil},
    {"coroutine", WaitClass::coroutine},
    {"select", WaitClass::select},
    {"select (no cases)", WaitClass::select_no_cases},
    {"semacquire", WaitClass::semaphore},
    {"sleep", WaitClass::sleep},
    {"sync.Cond.Wait", WaitClass::cond},
    {"sync.Mutex.Lock", WaitClass::mutex},
    {"sync.RWMutex.Lock", WaitClass::rwmutex_write},
    {"sync.RWMutex.RLock", WaitClass::rwmutex_read},
    {"sync.WaitGroup.Wait", WaitClass::wait_group},
}};

constexpr std::array<std::string_view, 28> kRuntimeReasons{{
    "GC assist marking",
    "GC assist wait",
    "GC mark termination",
    "GC scavenge wait",
    "GC sweep wait",
    "GC weak to strong wait",
    "GC worker (active)",
    "GC worker (idle)",
    "GOMAXPROCS updater (idle)",
    "cleanup wait",
    "debug call",
    "dumping heap",
    "finalizer wait",
    "flushing proc caches",
    "force gc (idle)",
    "garbage collection",
    "garbage collection scan",
    "page trace flush",
    "panicwait",
    "preempted",
    "stopping the world",
    "synctest.Run",
    "synctest.Wait",
    "timer goroutine (idle)",
    "trace goroutine status",
    "trace proc status",
    "trace reader (blocked)",
    "wait for GC cycle",
}};

}  // namespace

WaitClass wait_class_of(std::string_view wait_reason) {
  // Go 1.24 says "(synctest)" for what is "(durable)" from 1.25 on.
  for (const std::string_view suffix : {" (durable)", " (synctest)"}) {
    if (wait_reason.ends_with(suffix)) wait_reason.remove_suffix(suffix.size());
  }
  for (const auto& [text, wait] : kReasons) {
    if (wait_reason == text) return wait;
  }
  for (const std::string_view text : kRuntimeReasons) {
    if (wait_reason == text) return WaitClass::runtime;
  }
  return WaitClass::none;
}

std::string_view to_string(WaitClass wait) {
  switch (wait) {
    case WaitClass::none:
      return "none";
    case WaitClass::chan_send:
      return "chan_send";
    case WaitClass::chan_receive:
      return "chan_receive";
    case WaitClass::chan_send_nil:
      return "chan_send_nil";
    case WaitClass::chan_receive_nil:
      return "chan_receive_nil";
    case WaitClass::select:
      return "select";
    case WaitClass::select_no_cases:
      return "select_no_cases";
    case WaitClass::mutex:
      return "mutex";
    case WaitClass::rwmutex_read:
      return "rwmutex_read";
    case WaitClass::rwmutex_write:
      return "rwmutex_write";
    case WaitClass::wait_group:
      return "wait_group";
    case WaitClass::cond:
      return "cond";
    case WaitClass::semaphore:
      return "semaphore";
    case WaitClass::io:
      return "io";
    case WaitClass::sleep:
      return "sleep";
    case WaitClass::syscall:
      return "syscall";
    case WaitClass::coroutine:
      return "coroutine";
    case WaitClass::runtime:
      return "runtime";
  }
  return "none";
}

}  // namespace goleakd::ledger
