// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"

struct ring_buffer;
struct process_bpf;

namespace goleakd::probe {

// What the kernel tells of processes; threads are none. A fork is no event: the child still runs its parent's program.
struct ProcessEvent {
  enum class Kind : std::uint8_t {
    executed,       // from now on it runs another program, under the same pid
    ended,          // its last thread ends; may be told twice
    out_of_memory,  // the kernel kills it for want of memory; it ends soon
  };
  Kind kind{};
  int pid = 0;                    // in goleakd's own pid namespace
  std::uint64_t start_ticks = 0;  // as target::ProcessIdentity; 0: not known
  Instant at;
};

// Every exec and exit of the processes that this one can see, from the moment of make() on. The kernel takes it away
// when goleakd ends, however it ends.
class ProcessEvents {
 public:
  // permission: names the missing capability. unsupported: the kernel cannot tell, or counts pids otherwise than the
  // /proc that goleakd reads.
  static Result<std::unique_ptr<ProcessEvents>> make();
  ProcessEvents(const ProcessEvents&) = delete;
  ProcessEvents& operator=(const ProcessEvents&) = delete;
  ~ProcessEvents();

  // Hands over what is there, in order; of what comes meanwhile no more than would fill the ring. It holds some ten
  // thousand: call this several times a second.
  void drain(const std::function<void(const ProcessEvent&)>& each);

  // Events that did not fit into the ring, since make().
  std::uint64_t lost() const;

  // Why nothing is told of the kernel's OOM killer; empty when it is.
  const std::string& oom_kills_unavailable() const { return oom_kills_unavailable_; }

 private:
  ProcessEvents() = default;
  Result<void> load(std::uint32_t pid_namespace);
  void attach_to_oom_killer();

  process_bpf* skeleton_ = nullptr;
  std::string oom_kills_unavailable_;
  ring_buffer* ring_ = nullptr;
  const std::function<void(const ProcessEvent&)>* each_ = nullptr;  // during drain()
  std::size_t drained_ = 0;                                         // by the present drain()
  std::size_t ring_events_ = 0;                                     // that fit into the ring
};

}  // namespace goleakd::probe
