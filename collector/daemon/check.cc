// SPDX-License-Identifier: Apache-2.0
#include "daemon/check.h"

#include <linux/capability.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>
#include <string>
#include <utility>

#include "daemon/supervisor.h"
#include "probe/calibration.h"
#include "probe/plan.h"
#include "probe/process_events.h"
#include "snapshot/process_memory.h"
#include "snapshot/reader.h"
#include "snapshot/runtime_check.h"
#include "target/access.h"
#include "target/process.h"
#include "text/check.h"
#include "text/json.h"

namespace goleakd::daemon {
namespace {

using text::CheckItem;
using State = CheckItem::State;
using Items = std::vector<CheckItem>;

constexpr const char* kGetCapabilities =
    "run goleakd as root or by its systemd unit, or: setcap cap_bpf,cap_perfmon,cap_sys_ptrace=ep goleakd; in "
    "Kubernetes: securityContext.capabilities.add [BPF, PERFMON, SYS_PTRACE] and hostPID";

class HostCheck {
 public:
  explicit HostCheck(const target::Procfs& proc)
      : capabilities_(proc.effective_capabilities()), yama_(proc.yama_scope()), prober_(make_prober(Config{})) {}

  Items items() const {
    Items all{kernel(), btf(), uprobes()};
    if (prober_) all.push_back(hit_cost());
    std::ranges::move(Items{process_events(), ptrace()}, std::back_inserter(all));
    std::ranges::copy(capabilities(), std::back_inserter(all));
    return all;
  }
  // Why no process of this host can have events; empty when they can.
  std::string events_unavailable() const { return prober_ ? "" : prober_.error().message(); }

 private:
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

  CheckItem hit_cost() const {
    const auto cost = probe::calibrate((*prober_)->method());
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
};

CheckItem globals_item(const target::RuntimeGlobals& globals) {
  const std::array<std::pair<const char*, std::uint64_t>, 7> all{{{"allgs", globals.allgs},
                                                                  {"allp", globals.allp},
                                                                  {"sched", globals.sched},
                                                                  {"mheap_", globals.mheap},
                                                                  {"semtable", globals.semtable},
                                                                  {"firstmoduledata", globals.firstmoduledata},
                                                                  {"waitReasonStrings", globals.wait_reason_strings}}};
  std::string found;
  std::string absent;
  for (const auto& [name, address] : all) {
    std::string& list = address != 0 ? found : absent;
    list += (list.empty() ? "" : ", ") + std::string(name);
  }
  return {.name = "runtime variables",
          .state = absent.empty() ? State::good : State::limited,
          .found = found + (absent.empty() ? "" : "; not found: " + absent),
          .remedy = ""};
}

CheckItem layout_item(const target::GoBinary& binary) {
  CheckItem item{.name = "struct layouts", .state = State::good, .found = {}, .remedy = {}};
  switch (binary.layout_origin()) {
    case target::LayoutOrigin::table:
      item.found = "known for this version";
      break;
    case target::LayoutOrigin::dwarf:
      item.found = "from the program's own debug information";
      break;
    case target::LayoutOrigin::nearest:
      item.state = State::limited;
      item.found = "those of Go 1." + std::to_string(binary.layout().minor) + ", the nearest that is known";
      item.remedy = "a goleakd that knows this version, or a program that keeps its debug information";
      break;
  }
  return item;
}

CheckItem capability_item(const char* name, const snapshot::Broken& broken) {
  return {.name = name,
          .state = broken ? State::limited : State::good,
          .found = broken ? "does not hold on this program's memory: " + *broken : "its structs are as they must be",
          .remedy = ""};
}

// What can be read of it, each by the invariants of the structs that it takes.
Items memory_items(const target::Procfs& proc, const std::shared_ptr<const target::GoProcess>& process) {
  const snapshot::ProcessMemory memory(process->pid);
  snapshot::Reader reader(process, memory);
  snapshot::SnapshotOptions options;
  options.raw = true;
  const auto snapshot = reader.take(options);
  if (!snapshot) {
    const bool denied = snapshot.error().kind() == ErrorKind::permission;
    return {{.name = "snapshot",
             .state = State::missing,
             .found = denied ? access_denied(proc, process->pid).message() : snapshot.error().message(),
             .remedy = ""}};
  }
  const std::size_t own = snapshot->goroutines.count_of_program();
  const auto time = std::chrono::duration_cast<std::chrono::microseconds>(snapshot->end - snapshot->begin);
  return {{.name = "snapshot",
           .state = State::good,
           .found = std::to_string(own) + " goroutines and " + std::to_string(snapshot->goroutines.size() - own) +
                    " of the runtime's own, in " + std::to_string(time.count()) + " us",
           .remedy = ""},
          capability_item("goroutines", snapshot::broken_walk(*process, snapshot->raw)),
          capability_item("wait objects", snapshot::broken_wait_objects(*process, memory, snapshot->raw)),
          capability_item("heap", snapshot::broken_heap(*process, memory, snapshot->raw))};
}

CheckItem probes_item(std::string_view name, const std::string& refused, const std::string& unavailable) {
  const std::string& why = unavailable.empty() ? refused : unavailable;
  return {.name = std::string(name),
          .state = why.empty() ? State::good : State::limited,
          .found = why.empty() ? "can be probed" : why,
          .remedy = ""};
}

Items process_items(const target::Procfs& proc, const std::shared_ptr<const target::GoProcess>& process,
                    const std::string& events_unavailable) {
  const target::GoBinary& binary = *process->binary;
  const probe::Plan plan = probe::plan_probes(binary);
  Items items{{.name = "service", .state = State::good, .found = process->service, .remedy = ""},
              {.name = "executable", .state = State::good, .found = process->exe, .remedy = ""},
              {.name = "Go version", .state = State::good, .found = binary.build_info().version.text, .remedy = ""},
              layout_item(binary),
              globals_item(binary.globals())};
  std::ranges::move(memory_items(proc, process), std::back_inserter(items));
  for (const probe::Group group : {probe::Group::spawn_exit, probe::Group::park_unpark}) {
    items.push_back(probes_item(to_string(group), plan.why_not(group), events_unavailable));
  }
  return items;
}

Result<void> verdict_on(const std::string& what, const Items& items) {
  std::string names;
  for (const CheckItem& item : items) {
    if (item.state == State::missing) names += (names.empty() ? "" : ", ") + item.name;
  }
  if (names.empty()) return {};
  return fail(ErrorKind::unsupported, what + " does not allow all that goleakd does: " + names);
}

}  // namespace

Result<void> check(const CheckOptions& options) {
  const target::Procfs proc;
  const HostCheck host(proc);
  text::CheckReport report{.host = host.items(), .pid = options.pid, .process = {}};
  Result<void> outcome = verdict_on("this host", report.host);
  if (options.pid) {
    target::BinaryCache binaries;
    auto process = target::GoProcess::open(proc, binaries, *options.pid);
    if (process) {
      report.process = process_items(proc, std::make_shared<const target::GoProcess>(std::move(*process)),
                                     host.events_unavailable());
      outcome = verdict_on("process " + std::to_string(*options.pid), report.process);
    } else {
      report.process = {
          {.name = "can be watched", .state = State::missing, .found = process.error().message(), .remedy = ""}};
      outcome = fail(process.error());
    }
  }
  const std::string text =
      options.format == Format::json ? text::to_text(text::check_json(report)) : text::check_text(report);
  std::fputs(text.c_str(), stdout);
  return outcome;
}

}  // namespace goleakd::daemon
