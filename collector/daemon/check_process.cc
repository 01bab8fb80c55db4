// SPDX-License-Identifier: Apache-2.0
#include "daemon/check_process.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <string>
#include <thread>
#include <utility>

#include "probe/plan.h"
#include "snapshot/process_memory.h"
#include "snapshot/reader.h"
#include "snapshot/runtime_check.h"
#include "snapshot/runtime_counters.h"
#include "target/access.h"

namespace goleakd::daemon {
namespace {

using text::CheckItem;
using State = CheckItem::State;
using Items = std::vector<CheckItem>;

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

// A second of what the governor goes by.
probe::Governor governor_of(const target::Procfs& proc, const target::GoProcess& process, const HostCheck& host) {
  constexpr Duration kSecond = std::chrono::seconds(1);
  probe::Governor governor(probe::Budget{}, host.handling, host.hit_cost.in_program_seconds());
  const snapshot::ProcessMemory memory(process.pid);
  for (const Duration pause : {Duration::zero(), kSecond}) {
    std::this_thread::sleep_for(pause);
    const auto counters = snapshot::read_runtime_counters(process, memory);
    const auto cpu = proc.cpu_time(process.pid);
    if (!counters || !cpu) break;
    governor.read({.at = counters->at,
                   .cpu = *cpu,
                   .counted_at = counters->at,
                   .spawned = counters->spawned,
                   .scheduled = counters->scheduled,
                   .hits = {}});
  }
  return governor;
}

CheckItem probes_item(probe::Group group, const probe::Plan& plan, const probe::Governor& governor,
                      const HostCheck& host) {
  CheckItem item{.name = std::string(to_string(group)), .state = State::limited, .found = {}, .remedy = ""};
  if (!host.events_unavailable.empty()) {
    item.found = host.events_unavailable;
  } else if (!plan.has(group)) {
    item.found = plan.why_not(group);
  } else if (group == probe::Group::deaths) {
    item.state = State::good;
    item.found = "can be probed, and cost nothing until there is one";
  } else if (!governor.wants(group)) {
    item.found = "can be probed, but not at its present rate: " + governor.why_not(group);
  } else {
    item.state = State::good;
    item.found = "can be probed, and fit the budget at its present rate";
  }
  return item;
}

}  // namespace

Items check_process(const target::Procfs& proc, const std::shared_ptr<const target::GoProcess>& process,
                    const HostCheck& host) {
  const target::GoBinary& binary = *process->binary;
  const probe::Plan plan = probe::plan_probes(binary);
  Items items{{.name = "service", .state = State::good, .found = process->service, .remedy = ""},
              {.name = "executable", .state = State::good, .found = process->exe, .remedy = ""},
              {.name = "Go version", .state = State::good, .found = binary.build_info().version.text, .remedy = ""},
              layout_item(binary),
              globals_item(binary.globals())};
  std::ranges::move(memory_items(proc, process), std::back_inserter(items));
  const probe::Governor governor = governor_of(proc, *process, host);
  for (const probe::Group group :
       {probe::Group::spawn_exit, probe::Group::park_unpark, probe::Group::panics, probe::Group::deaths}) {
    items.push_back(probes_item(group, plan, governor, host));
  }
  return items;
}

}  // namespace goleakd::daemon
