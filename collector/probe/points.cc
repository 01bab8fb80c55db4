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
constexpr std::array<ProbePoint, 16> kPoints{{
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
    case GOLEAKD_KINDS:
      break;
  }
  return "?";
}

}  // namespace goleakd::probe
