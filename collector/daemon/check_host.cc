// SPDX-License-Identifier: Apache-2.0
#include "daemon/check_host.h"

#include <linux/capability.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>

#include "daemon/supervisor.h"
#include "probe/prober.h"
#include "probe/process_events.h"

namespace goleakd::daemon {
namespace {

using text::CheckItem;
using State = CheckItem::State;
using Items = std::vector<CheckItem>;

constexpr const char* kGetCapabilities =
    "run goleakd as root or by its systemd unit, or: setcap cap_bpf,cap_perfmon,cap_sys_ptrace=ep goleakd; in "
    "Kubernetes: securityContext.capabilities.add [BPF, PERFMON, SYS_PTRACE] and hostPID";

class Host {
 public:
  explicit Host(const target::Procfs& proc)
      : capabilities_(proc.effective_capabilities()), yama_(proc.yama_scope()), prober_(make_prober(Config{})) {
    if (prober_) hit_cost_ = probe::calibrate((*prober_)->method());
  }

  HostCheck check() const {
    HostCheck check{.items = items(), .events_unavailable = prober_ ? "" : prober_.error().message()};
    if (hit_cost_ && *hit_cost_) check.hit_cost = **hit_cost_;
    if (prober_) check.handling = (*prober_)->handling();
    return check;
  }

 private:
  Items items() const {
    Items all{kernel(), btf(), uprobes()};
    if (hit_cost_) all.push_back(hit_cost(*hit_cost_));
    std::ranges::move(Items{process_events(), ptrace()}, std::back_inserter(all));
    std::ranges::copy(capabilities(), std::back_inserter(all));
    return all;
  }
  bool has(unsigned capability) const { return (capabilities_ >> capability & 1U) != 0; }
  bool may_load() const { return has(CAP_SYS_ADMIN) || (has(CAP_BPF) && has(CAP_PERFMON)); }

  static CheckItem kernel() {
    utsname name{};
    ::uname(&name);
    const bool right = std::string_view(name.machine) == "x86_64";
    return {.name = "kernel",
            .state = right ? State::good : State::missing,
            .found = std::string(name.sysname) + " " + name.release + " " + name.machine,
            .remedy = right ? "" : "goleakd reads Go programs on x86-64 only"};
  }

  static CheckItem btf() {
    const bool there = ::access("/sys/kernel/btf/vmlinux", R_OK) == 0;
    return {
        .name = "kernel type information (BTF)",
        .state = there ? State::good : State::limited,
        .found = there ? "/sys/kernel/btf/vmlinux" : "none",
        .remedy = there ? "" : "a kernel with CONFIG_DEBUG_INFO_BTF; without it /proc is looked through every second"};
  }

  // How to get what the kernel has refused.
  std::string bpf_remedy(const Error& error) const {
    if (error.kind() != ErrorKind::permission) return "";
    if (!may_load()) return kGetCapabilities;
    return "the capabilities are there: a seccomp filter (a container's, systemd's SystemCallFilter) or kernel "
           "lockdown "
           "forbids bpf()";
  }

  CheckItem uprobes() const {
    CheckItem item{.name = "events by uprobes", .state = State::good, .found = {}, .remedy = {}};
    if (!prober_) {
      item.state = State::missing;
      item.found = prober_.error().message();
      item.remedy = bpf_remedy(prober_.error());
      return item;
    }
    item.found = probe::to_string((*prober_)->method());
    if ((*prober_)->method() == probe::Method::uprobe_multi) return item;
    item.state = has(CAP_SYS_ADMIN) ? State::limited : State::missing;
    item.remedy = std::string(has(CAP_SYS_ADMIN) ? "" : "CAP_SYS_ADMIN, which this kernel wants for uprobes, or ") +
                  "a kernel with working uprobe_multi (6.10 on): probes come off slowly without, and parks are not "
                  "probed";
    return item;
  }

  static CheckItem hit_cost(const Result<probe::HitCost>& cost) {
    return {
        .name = "cost of a probe hit",
        .state = cost ? State::good : State::limited,
        .found = cost ? to_string(*cost)
                      : "not measured, taken for " + to_string(probe::kAssumedHitCost) + ": " + cost.error().message(),
        .remedy = ""};
  }

  CheckItem process_events() const {
    const auto events = probe::ProcessEvents::make();
    return {.name = "new processes",
            .state = events ? State::good : State::limited,
            .found = events ? "told by the kernel" : "looked for every second: " + events.error().message(),
            .remedy = events ? "" : bpf_remedy(events.error())};
  }

  CheckItem ptrace() const {
    CheckItem item{.name = "ptrace scope (Yama)", .state = State::good, .found = std::to_string(yama_), .remedy = {}};
    if (yama_ >= 3) {
      item.state = State::missing;
      item.found += ": no process may read another's memory";
      item.remedy = "set kernel.yama.ptrace_scope to 2 or less in /etc/sysctl.d and reboot";
    } else if (yama_ >= 1 && !has(CAP_SYS_PTRACE)) {
      item.state = State::missing;
      item.found += ": only CAP_SYS_PTRACE may read memory";
      item.remedy = kGetCapabilities;
    }
    return item;
  }

  Items capabilities() const {
    struct Wanted {
      const char* name;
      unsigned number;
      State without;
      const char* use;
    };
    const std::array<Wanted, 4> wanted{
        {{"CAP_BPF", CAP_BPF, State::missing, "to load BPF programs"},
         {"CAP_PERFMON", CAP_PERFMON, State::missing, "to trace with them"},
         {"CAP_SYS_PTRACE", CAP_SYS_PTRACE, State::missing, "to read processes of other users"},
         {"CAP_DAC_READ_SEARCH", CAP_DAC_READ_SEARCH, State::limited,
          "to read programs whose files not everybody may read"}}};
    Items items;
    for (const Wanted& capability : wanted) {
      const bool implied = capability.number != CAP_SYS_PTRACE && capability.number != CAP_DAC_READ_SEARCH &&
                           has(CAP_SYS_ADMIN);  // as the kernel has it
      const bool there = has(capability.number) || implied;
      items.push_back({.name = capability.name,
                       .state = there ? State::good : capability.without,
                       .found = there ? (has(capability.number) ? "yes" : "yes, by CAP_SYS_ADMIN")
                                      : std::string("no; it is needed ") + capability.use,
                       .remedy = there ? "" : kGetCapabilities});
    }
    if (prober_ && (*prober_)->method() == probe::Method::perf_event) {
      items.push_back({.name = "CAP_SYS_ADMIN",
                       .state = has(CAP_SYS_ADMIN) ? State::good : State::missing,
                       .found = has(CAP_SYS_ADMIN) ? "yes" : "no; this kernel gives uprobes to nobody else",
                       .remedy = has(CAP_SYS_ADMIN) ? "" : "the drop-in uprobes-by-perf.conf for the systemd unit"});
    }
    return items;
  }

  std::uint64_t capabilities_;
  int yama_;
  Result<std::unique_ptr<probe::Prober>> prober_;
  std::optional<Result<probe::HitCost>> hit_cost_;  // where there are probes
};

}  // namespace

HostCheck check_host(const target::Procfs& proc) { return Host(proc).check(); }

}  // namespace goleakd::daemon
