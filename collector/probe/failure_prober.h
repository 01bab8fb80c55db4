// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/result.h"
#include "bpf/failure_wire.h"
#include "probe/detacher.h"
#include "probe/links.h"
#include "probe/plan.h"
#include "probe/slots.h"
#include "target/process.h"

struct ring_buffer;
struct failure_bpf;

namespace goleakd::probe {

class FailureProber;

// The probes of panics and deaths in one process, group by group. Taken away when this is destroyed, in the background,
// or by the kernel when goleakd dies. Must not outlive its FailureProber.
class FailureProbes {
 public:
  FailureProbes(const FailureProbes&) = delete;
  FailureProbes& operator=(const FailureProbes&) = delete;
  ~FailureProbes();

  // Of the records that come from here.
  std::uint16_t slot() const { return slot_; }
  bool attached(Group group) const { return links_.contains(group); }
  // `plan` is of the process' binary, and has the group. More than `window_hits` panics and recoveries in one of the
  // probes' windows (bpf/wire.h) are a storm; 0: nothing is. Errors as attach_program().
  Result<void> attach(const target::GoProcess& process, const Plan& plan, Group group, std::uint32_t window_hits);
  void detach(Group group);
  // Sums over all CPUs since this was made.
  goleakd_failure_counters counters() const;

 private:
  friend class FailureProber;
  FailureProbes(FailureProber& prober, std::uint16_t slot) : prober_(prober), slot_(slot) {}

  FailureProber& prober_;
  std::uint16_t slot_;
  std::map<Group, std::vector<Link>> links_;
};

// The BPF program of panics and deaths, and the ring that its records come through.
class FailureProber {
 public:
  // Errors as Prober::make(); `method` is what that has found to work.
  static Result<std::unique_ptr<FailureProber>> make(Method method);
  FailureProber(const FailureProber&) = delete;
  FailureProber& operator=(const FailureProber&) = delete;
  ~FailureProber();

  // No group is in place yet. unsupported: no more processes fit.
  Result<std::unique_ptr<FailureProbes>> probes();

  // An epoll whose waiters are woken when panics have come in a storm, and for nothing else. Stays the prober's.
  int storm_fd() const;

  // Hands over what is in the ring, in order; of what comes meanwhile no more than would fill it. What a record's kind
  // does not tell is zero.
  void drain(const std::function<void(const goleakd_failure&)>& each);

 private:
  friend class FailureProbes;
  explicit FailureProber(Method method) : method_(method) {}
  Result<void> load();
  void set_up(std::uint16_t slot, const target::Layout& layout, std::uint32_t window_hits);

  Method method_;
  failure_bpf* skeleton_ = nullptr;
  ring_buffer* ring_ = nullptr;
  ring_buffer* storm_ring_ = nullptr;
  const std::function<void(const goleakd_failure&)>* each_ = nullptr;  // during drain()
  std::size_t drained_ = 0;                                            // by the present drain()
  Slots slots_;
  Detacher detacher_;  // it gives slots back
};

}  // namespace goleakd::probe
