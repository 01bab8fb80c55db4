// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "bpf/wire.h"
#include "probe/detacher.h"
#include "probe/governor.h"
#include "probe/links.h"
#include "probe/park_tables.h"
#include "probe/plan.h"
#include "probe/slots.h"
#include "target/process.h"

struct ring_buffer;
struct goroutine_bpf;

namespace goleakd::probe {

// Of the library that is in use: "1.4".
std::string libbpf_version();

// Of whom it is to be caught who starts them or wakes them, or who touches them.
struct Wanted {
  std::uint64_t what = 0;        // run-time address: g.gopc of the goroutines, or the object
  std::uint8_t wait_reason = 0;  // the wakers of those that wait for it: runtime.waitReason of that Go version
  std::uint8_t times = 0;        // the next so many; of an object in each way to touch it. A race may make it one more
                                 // or one less
  // Of an object: what those have come to do who wait on it, and their g.gopc, of which the first few count. Others of
  // them who come to do the same are not caught.
  goleakd_kind siblings_kind{};
  std::vector<std::uint64_t> siblings;
};

// One of those who do.
struct Caught {
  std::uint16_t slot = 0;
  goleakd_kind kind{};  // what it does
  bool sends = false;   // in a select: it would send there, else receive
  std::uint64_t what = 0;
  std::uint8_t wait_reason = 0;
  Instant at;
  std::vector<std::uint64_t> stack;  // return addresses, innermost first: into the function with the `go` statement,
                                     // into what called runtime.ready, or what called the function that touches
};

// `what` and `wait_reason` of a Wanted.
using WantedKeys = std::set<std::pair<std::uint64_t, std::uint8_t>>;

class Prober;

// One group of probes in one process. Taken away when this is destroyed, in the background, or by the kernel when
// goleakd dies. Must not outlive its Prober.
class Attachment {
 public:
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;
  ~Attachment();

  // Of the events that come from here.
  std::uint16_t slot() const { return slot_; }
  // Sums over all CPUs since the attach.
  goleakd_counters counters() const;
  // Of attach_parks() only: the tables. They are to be made larger when an event says GOLEAKD_CROWDED.
  const ParkTables& parks() const { return *parks_; }
  Result<bool> grow_parks();
  // Of attach_to_catch() only: these are wanted besides, up to GOLEAKD_WANTED_BY_ONE in all. Who is wanted already, or
  // was and has been caught, is not again.
  Result<void> want(const std::vector<Wanted>& wanted);

 private:
  friend class Prober;
  Attachment(Prober& prober, std::uint16_t slot) : prober_(prober), slot_(slot) {}

  Prober& prober_;
  std::uint16_t slot_;
  WantedKeys wanted_;                          // in the map of who is to be caught
  std::shared_ptr<ParkTables> parks_;          // null but for parks; shared with the work of taking them away
  std::uint16_t life_slot_ = GOLEAKD_NO_SLOT;  // of the spawns and exits of the same process, for parks
  std::vector<Link> links_;
};

// The BPF programs of this daemon, loaded once, and the ring that all their events come through.
class Prober {
 public:
  struct Options {
    std::uint32_t ring_bytes = 8U << 20U;  // a power of two
    std::optional<Method> method;          // default: the best that works here
  };

  // permission: names the missing capability. unsupported: the kernel has no BPF or no uprobes.
  static Result<std::unique_ptr<Prober>> make(const Options& options);
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;
  ~Prober();

  Method method() const { return method_; }
  Handling handling() const { return method_ == Method::uprobe_multi ? Handling::quick : Handling::sparing; }

  // Probes one process, and none else of the same binary, for a group that needs no more than this: `plan` is of its
  // binary, and has the group. The probes go into the file that was decoded: a process that runs another program by now
  // is not touched. More than `window_hits` in one of the probes' windows (bpf/wire.h) are a storm; 0: nothing is. gone
  // when it ended meanwhile.
  Result<std::unique_ptr<Attachment>> attach(const target::GoProcess& process, const Plan& plan, Group group,
                                             std::uint32_t window_hits);

  // The same for the group `park_unpark`. `life`: the probes of spawn and exit in the same process, which tell when a g
  // becomes another goroutine's; they must stay for as long. The end of a park that lasted `long_park` comes as an
  // event.
  Result<std::unique_ptr<Attachment>> attach_parks(const target::GoProcess& process, const Plan& plan,
                                                   const Attachment& life, const ParkTablesFor& tables,
                                                   Duration long_park, std::uint32_t window_hits);

  // The same for the groups `spawners`, `wakers` and `objects`, which tell of these alone, by drain_caught().
  Result<std::unique_ptr<Attachment>> attach_to_catch(const target::GoProcess& process, const Plan& plan, Group group,
                                                      const std::vector<Wanted>& wanted, std::uint32_t window_hits);

  // An epoll whose waiters are woken when a storm has come into the ring, or tables of parks are crowded, and for
  // nothing else. Stays the prober's.
  int storm_fd() const;

  // Hands over every event that is in the ring, in order; of those that come meanwhile no more than would fill it.
  void drain(const std::function<void(const goleakd_event&)>& each);
  void drain_caught(const std::function<void(const Caught&)>& each);

 private:
  friend class Attachment;
  Prober() = default;
  Result<void> load(Method method, std::uint32_t ring_bytes);
  void unload();
  Result<std::unique_ptr<Attachment>> prepare(const target::GoProcess& process, const Plan& plan, Group group,
                                              std::uint32_t window_hits);
  Result<std::unique_ptr<Attachment>> put_in(std::unique_ptr<Attachment> attachment, const target::GoProcess& process,
                                             const Plan& plan, Group group);
  void give_back(std::uint16_t slot, const WantedKeys& wanted);
  void give_back_parks(std::uint16_t slot, std::uint16_t life_slot);
  const bpf_program* program_of(Group group) const;

  Method method_ = Method::uprobe_multi;
  goroutine_bpf* skeleton_ = nullptr;
  goleakd_target* targets_ = nullptr;  // by slot: the memory of the map, which the probes read and write
  ring_buffer* ring_ = nullptr;
  ring_buffer* caught_ring_ = nullptr;
  const std::function<void(const goleakd_event&)>* each_ = nullptr;  // during drain()
  const std::function<void(const Caught&)>* each_caught_ = nullptr;  // during drain_caught()
  std::size_t drained_ = 0;                                          // by the present drain()
  std::size_t ring_events_ = 0;                                      // that fit into the ring

  Slots slots_;
  Detacher detacher_;  // it gives slots back
};

}  // namespace goleakd::probe
