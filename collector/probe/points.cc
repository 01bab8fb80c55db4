// SPDX-License-Identifier: Apache-2.0
#include "probe/points.h"

namespace goleakd::probe {
namespace {

constexpr int kNewest = 999;
constexpr std::string_view kCasgstatus = "runtime.casgstatus";

// goid is written before the status changes from 1.24 on, and only later in newproc1 before that: there the new
// goroutine is seen when it is queued, as it is where casgstatus was inlined: coroutines are not queued. ready() wakes
// most; what the network poller and timers wake goes through the other two. park_m runs for every gopark, with the same
// to tell, and is never inlined: it is called through mcall, on another stack.
// Coroutines (iter.Pull) hand over to each other and pass none of these.
//
// A panic begins in gopanic, whoever is to blame. It ends in recovery (called through mcall, so never inlined), once
// the deferred function that has called recover() has returned, or in fatalpanic. gorecover is no end: whoever calls it
// may panic again, as many do who only look. What is replaced by another panic, or given up by Goexit, ends nowhere.
//
// What is done to a channel passes one of four functions, also when it needs nobody: in the first argument of each is
// the channel, or the cases of a select. A semaphore is met only by who does not get through at once, or lets somebody
// in; an unlock without a waiter is not, and nor is a Done that leaves others to be done. What a program never does its
// linker leaves out. makechan says what it has made only in its return value, and no return is probed.
constexpr std::array<ProbePoint, 24> kPoints{{
    {.kind = GOLEAKD_SPAWN,
     .group = Group::spawn_exit,
     .place = {GOLEAKD_NEWPROC1_CASGSTATUS, "runtime.newproc1", kCasgstatus},
     .otherwise = {GOLEAKD_NEWPROC_RUNQPUT, "runtime.newproc.func1", "runtime.runqput"},
     .first_minor = 24,
     .last_minor = kNewest},
    {.kind = GOLEAKD_SPAWN,
     .group = Group::spawn_exit,
     .place = {GOLEAKD_NEWPROC_RUNQPUT, "runtime.newproc.func1", "runtime.runqput"},
     .otherwise = {},
     .first_minor = 0,
     .last_minor = 23},
    {.kind = GOLEAKD_EXIT,
     .group = Group::spawn_exit,
     .place = {GOLEAKD_GDESTROY, "runtime.gdestroy", ""},
     .otherwise = {GOLEAKD_CASGSTATUS_EXIT, "runtime.gdestroy", kCasgstatus},
     .first_minor = 22,
     .last_minor = kNewest},
    {.kind = GOLEAKD_EXIT,
     .group = Group::spawn_exit,
     .place = {GOLEAKD_GDESTROY, "runtime.goexit0", ""},
     .otherwise = {GOLEAKD_CASGSTATUS_EXIT, "runtime.goexit0", kCasgstatus},
     .first_minor = 0,
     .last_minor = 21},
    {.kind = GOLEAKD_PARK,
     .group = Group::park_unpark,
     .place = {GOLEAKD_GOPARK, "runtime.gopark", ""},
     .otherwise = {GOLEAKD_PARK_M, "runtime.park_m", ""},
     .first_minor = 0,
     .last_minor = kNewest},
    {.kind = GOLEAKD_UNPARK,
     .group = Group::park_unpark,
     .place = {GOLEAKD_READY, "runtime.ready", ""},
     .otherwise = {GOLEAKD_CASGSTATUS_WAKE, "runtime.ready", kCasgstatus},
     .first_minor = 0,
     .last_minor = kNewest},
    {.kind = GOLEAKD_UNPARK,
     .group = Group::park_unpark,
     .place = {GOLEAKD_CASGSTATUS_WAKE, "runtime.injectglist", kCasgstatus},
     .otherwise = {},
     .first_minor = 0,
     .last_minor = kNewest},
    {.kind = GOLEAKD_UNPARK,
     .group = Group::park_unpark,
     .place = {GOLEAKD_CASGSTATUS_WAKE, "runtime.findRunnable", kCasgstatus},
     .otherwise = {},
     .first_minor = 0,
     .last_minor = kNewest},
    {.kind = GOLEAKD_COROSWITCH,
     .group = Group::park_unpark,
     .place = {GOLEAKD_COROSWITCH_M, "runtime.coroswitch_m", ""},
     .otherwise = {},
     .first_minor = 23,
     .last_minor = kNewest,
     .if_linked = true},
    {.kind = GOLEAKD_PANIC,
     .group = Group::panics,
     .place = {GOLEAKD_GOPANIC, "runtime.gopanic", ""},
     .otherwise = {},
     .first_minor = 0,
     .last_minor = kNewest},
    {.kind = GOLEAKD_RECOVER,
     .group = Group::panics,
     .place = {GOLEAKD_RECOVERY, "runtime.recovery", ""},
     .otherwise = {},
     .first_minor = 0,
     .last_minor = kNewest},
    {.kind = GOLEAKD_FATALPANIC,
     .group = Group::deaths,
     .place = {GOLEAKD_AT_FATALPANIC, "runtime.fatalpanic", ""},
     .otherwise = {},
     .first_minor = 0,
     .last_minor = kNewest,
     .cold = true},
    {.kind = GOLEAKD_FATAL,
     .group = Group::deaths,
     .place = {GOLEAKD_AT_FATAL, "runtime.fatal", ""},
     .otherwise = {},
     .first_minor = 0,
     .last_minor = kNewest,
     .cold = true},
    {.kind = GOLEAKD_THROW,
     .group = Group::deaths,
     .place = {GOLEAKD_AT_THROW, "runtime.throw", ""},
     .otherwise = {},
     .first_minor = 0,
     .last_minor = kNewest,
     .cold = true},
    {.kind = GOLEAKD_WAKER,
     .group = Group::wakers,
     .place = {GOLEAKD_READY_WAKER, "runtime.ready", ""},
     .otherwise = {GOLEAKD_READY_WAKER, "runtime.ready", kCasgstatus},
     .first_minor = 0,
     .last_minor = kNewest},
    {.kind = GOLEAKD_SPAWNER,
     .group = Group::spawners,
     .place = {GOLEAKD_NEWPROC, "runtime.newproc", ""},
     .otherwise = {},
     .first_minor = 0,
     .last_minor = kNewest},
    {.kind = GOLEAKD_SEND,
     .group = Group::objects,
     .place = {GOLEAKD_AT_CHANSEND, "runtime.chansend", ""},
     .otherwise = {},
     .first_minor = 0,
     .last_minor = kNewest,
     .if_linked = true},
    {.kind = GOLEAKD_RECEIVE,
     .group = Group::objects,
     .place = {GOLEAKD_AT_CHANRECV, "runtime.chanrecv", ""},
     .otherwise = {},
     .first_minor = 0,
     .last_minor = kNewest,
     .if_linked = true},
    {.kind = GOLEAKD_CLOSE,
     .group = Group::objects,
     .place = {GOLEAKD_AT_CLOSECHAN, "runtime.closechan", ""},
     .otherwise = {},
     .first_minor = 0,
     .last_minor = kNewest,
     .if_linked = true},
    {.kind = GOLEAKD_SELECT,
     .group = Group::objects,
     .place = {GOLEAKD_AT_SELECTGO, "runtime.selectgo", ""},
     .otherwise = {},
     .first_minor = 0,
     .last_minor = kNewest,
     .if_linked = true},
    {.kind = GOLEAKD_ACQUIRE,
     .group = Group::objects,
     .place = {GOLEAKD_AT_SEMACQUIRE1, "runtime.semacquire1", ""},
     .otherwise = {},
     .first_minor = 0,
     .last_minor = kNewest},
    {.kind = GOLEAKD_RELEASE,
     .group = Group::objects,
     .place = {GOLEAKD_AT_SEMRELEASE1, "runtime.semrelease1", ""},
     .otherwise = {},
     .first_minor = 0,
     .last_minor = kNewest},
    {.kind = GOLEAKD_NOTIFY,
     .group = Group::objects,
     .place = {GOLEAKD_AT_NOTIFY, "sync.runtime_notifyListNotifyOne", ""},
     .otherwise = {},
     .first_minor = 0,
     .last_minor = kNewest,
     .if_linked = true},
    {.kind = GOLEAKD_NOTIFY,
     .group = Group::objects,
     .place = {GOLEAKD_AT_NOTIFY, "sync.runtime_notifyListNotifyAll", ""},
     .otherwise = {},
     .first_minor = 0,
     .last_minor = kNewest,
     .if_linked = true},
}};

}  // namespace

std::span<const ProbePoint> probe_points() { return kPoints; }

std::string_view to_string(Group group) {
  switch (group) {
    case Group::spawn_exit:
      return "spawn and exit";
    case Group::park_unpark:
      return "park and unpark";
    case Group::panics:
      return "panics";
    case Group::deaths:
      return "deaths";
    case Group::spawners:
      return "go statements of suspects";
    case Group::wakers:
      return "wakes of suspects";
    case Group::objects:
      return "objects of suspects";
  }
  return "?";
}

std::string_view to_string(goleakd_kind kind) {
  switch (kind) {
    case GOLEAKD_SPAWN:
      return "spawn";
    case GOLEAKD_EXIT:
      return "exit";
    case GOLEAKD_PARK:
      return "park";
    case GOLEAKD_UNPARK:
      return "unpark";
    case GOLEAKD_COROSWITCH:
      return "coroswitch";
    case GOLEAKD_SPAWNER:
      return "spawner";
    case GOLEAKD_WAKER:
      return "waker";
    case GOLEAKD_SEND:
      return "send";
    case GOLEAKD_RECEIVE:
      return "receive";
    case GOLEAKD_CLOSE:
      return "close";
    case GOLEAKD_SELECT:
      return "select";
    case GOLEAKD_ACQUIRE:
      return "acquire";
    case GOLEAKD_RELEASE:
      return "release";
    case GOLEAKD_NOTIFY:
      return "notify";
    case GOLEAKD_PANIC:
      return "panic";
    case GOLEAKD_RECOVER:
      return "recover";
    case GOLEAKD_FATALPANIC:
      return "fatalpanic";
    case GOLEAKD_FATAL:
      return "fatal";
    case GOLEAKD_THROW:
      return "throw";
    case GOLEAKD_STORM:
    case GOLEAKD_CROWDED:
      break;
  }
  return "?";
}

}  // namespace goleakd::probe
