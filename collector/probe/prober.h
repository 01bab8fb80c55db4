// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "bpf/wire.h"
#include "probe/links.h"
#include "probe/plan.h"
#include "target/process.h"

struct ring_buffer;
struct goroutine_bpf;

namespace goleakd::probe {

// Of the library that is in use: "1.4".
std::string libbpf_version();

class Prober;

// The probes of one process. Taken away when this is destroyed, or by the kernel when goleakd dies. Must not outlive
// its Prober.
class Attachment {
 public:
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;
  ~Attachment();

  // Of the events that come from here.
  std::uint16_t slot() const { return slot_; }
  bool has_spawn_exit() const { return spawn_exit_; }
  bool has_park_unpark() const { return park_unpark_; }
  // Sums over all CPUs since the attach.
  goleakd_counters counters() const;

 private:
  friend class Prober;
  Attachment(Prober& prober, std::uint16_t slot) : prober_(prober), slot_(slot) {}

  Prober& prober_;
  std::uint16_t slot_;
  bool spawn_exit_ = false;
  bool park_unpark_ = false;
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

  // Probes one process, and none else of the same binary: `plan` is of its binary. The probes go into the file that was
  // decoded: a process that runs another program by now is not touched. gone when it ended meanwhile.
  Result<std::unique_ptr<Attachment>> attach(const target::GoProcess& process, const Plan& plan);

  // Hands over every event that is in the ring, in order; of those that come meanwhile no more than would fill it.
  void drain(const std::function<void(const goleakd_event&)>& each);

 private:
  friend class Attachment;
  Prober() = default;
  Result<void> load(Method method, std::uint32_t ring_bytes);
  void unload();
  std::optional<std::uint16_t> take_slot();

  Method method_ = Method::uprobe_multi;
  goroutine_bpf* skeleton_ = nullptr;
  ring_buffer* ring_ = nullptr;
  const std::function<void(const goleakd_event&)>* each_ = nullptr;  // during drain()
  std::size_t drained_ = 0;                                          // by the present drain()
  std::size_t ring_events_ = 0;                                      // that fit into the ring
  std::vector<bool> slots_ = std::vector<bool>(GOLEAKD_SLOTS);       // taken
  std::size_t next_slot_ = 0;
};

}  // namespace goleakd::probe
