// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bpf/wire.h"
#include "probe/plan.h"
#include "target/process.h"

struct bpf_link;
struct ring_buffer;
struct goroutine_bpf;

namespace goleakd::probe {

// How probes are put into a process.
enum class Method : std::uint8_t {
  uprobe_multi,  // one link for all, CAP_BPF and CAP_PERFMON suffice (Linux 6.6 on, with its pid filter repaired)
  perf_event,    // one perf event each, CAP_SYS_ADMIN, slow to detach
};
std::string_view to_string(Method method);

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
  std::vector<bpf_link*> links_;  // owned
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
  Result<void> attach_multi(Attachment& attachment, const target::GoProcess& process, const Plan& plan);
  Result<void> attach_perf(Attachment& attachment, const target::GoProcess& process, const Plan& plan);
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
