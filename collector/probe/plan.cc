// SPDX-License-Identifier: Apache-2.0
#include "probe/plan.h"

#include <array>
#include <string_view>
#include <utility>

namespace goleakd::probe {
namespace {

// One row per probe point of the Go runtime. `callee` empty: the function's entry site; else its calls to that
// function.
struct Point {
  goleakd_kind kind;
  goleakd_point point;
  std::string_view function;
  std::string_view callee;
  int first_minor;  // Go 1.first_minor …
  int last_minor;   // … to 1.last_minor
};
constexpr int kNewest = 999;

// goid is written before the status changes from 1.24 on, and only later in newproc1 before that: there the new
// goroutine is seen when it is queued. ready() wakes most; what the network poller and timers wake goes through the
// other two.
constexpr std::array<Point, 8> kPoints{{
    {GOLEAKD_SPAWN, GOLEAKD_NEWPROC1_CASGSTATUS, "runtime.newproc1", "runtime.casgstatus", 24, kNewest},
    {GOLEAKD_SPAWN, GOLEAKD_NEWPROC_RUNQPUT, "runtime.newproc.func1", "runtime.runqput", 0, 23},
    {GOLEAKD_EXIT, GOLEAKD_GDESTROY, "runtime.gdestroy", "", 22, kNewest},
    {GOLEAKD_EXIT, GOLEAKD_GDESTROY, "runtime.goexit0", "", 0, 21},
    {GOLEAKD_PARK, GOLEAKD_GOPARK, "runtime.gopark", "", 0, kNewest},
    {GOLEAKD_UNPARK, GOLEAKD_READY, "runtime.ready", "", 0, kNewest},
    {GOLEAKD_UNPARK, GOLEAKD_CASGSTATUS_WAKE, "runtime.injectglist", "runtime.casgstatus", 0, kNewest},
    {GOLEAKD_UNPARK, GOLEAKD_CASGSTATUS_WAKE, "runtime.findRunnable", "runtime.casgstatus", 0, kNewest},
}};

Result<std::vector<Site>> sites_of(const target::GoBinary& binary, const Point& point) {
  const auto missing = [](std::string_view name) {
    return fail(ErrorKind::not_found, "the program has no function " + std::string(name));
  };
  const auto function = binary.functions().runtime_function(point.function);
  if (!function) return missing(point.function);
  const auto code = binary.code_of(*function);
  if (!code) return fail(code.error());
  if (point.callee.empty()) {
    const auto site = entry_site(*code, function->entry, point.function);
    if (!site) return fail(site.error());
    return std::vector<Site>{*site};
  }
  const auto callee = binary.functions().runtime_function(point.callee);
  if (!callee) return missing(point.callee);
  auto sites = call_sites(*code, function->entry, callee->entry);
  if (sites.empty()) {
    return fail(ErrorKind::not_found, std::string(point.function) + " does not call " + std::string(point.callee));
  }
  return sites;
}

Result<void> add(const target::GoBinary& binary, const Point& point, std::vector<Probe>& probes) {
  const auto sites = sites_of(binary, point);
  if (!sites) return fail(sites.error());
  for (const Site& site : *sites) {
    const auto offset = binary.elf().file_offset(site.address);
    if (!offset) return fail(ErrorKind::invalid, std::string(point.function) + " is not in the file");
    probes.push_back({.kind = point.kind,
                      .point = point.point,
                      .function = std::string(point.function),
                      .site = site,
                      .file_offset = *offset});
  }
  return {};
}

}  // namespace

void Plan::drop_park_unpark(std::string why) {
  std::erase_if(probes, [](const Probe& p) { return p.kind == GOLEAKD_PARK || p.kind == GOLEAKD_UNPARK; });
  park_unpark_refused = std::move(why);
}

Plan plan_probes(const target::GoBinary& binary) {
  Plan plan;
  if (binary.layout_origin() == target::LayoutOrigin::nearest) {
    // A snapshot asks live memory whether the layout fits before it trusts it. A probe reads by it at once.
    plan.spawn_exit_refused = plan.park_unpark_refused = binary.build_info().version.text +
                                                         " is not known: probes would read by the layout of Go 1." +
                                                         std::to_string(binary.layout().minor);
    return plan;
  }
  if (binary.build_info().settings.contains("-pgo")) {
    // golang/go#74045: a profile can inline gopark into its callers, and then most parks never pass it.
    plan.spawn_exit_refused = plan.park_unpark_refused =
        "built with a profile (PGO), which may have inlined the functions that are probed";
    return plan;
  }
  const auto add_pair = [&](goleakd_kind first, goleakd_kind second, std::string& refused) {
    std::vector<Probe> probes;
    for (const Point& point : kPoints) {
      if (point.kind != first && point.kind != second) continue;
      if (binary.layout().minor < point.first_minor || binary.layout().minor > point.last_minor) continue;
      if (const auto ok = add(binary, point, probes); !ok) {
        refused = ok.error().message();
        return;
      }
    }
    plan.probes.insert(plan.probes.end(), probes.begin(), probes.end());
  };
  add_pair(GOLEAKD_SPAWN, GOLEAKD_EXIT, plan.spawn_exit_refused);
  if (!plan.has_spawn_exit()) {
    plan.park_unpark_refused = "spawn and exit are not probed";
    return plan;
  }
  add_pair(GOLEAKD_PARK, GOLEAKD_UNPARK, plan.park_unpark_refused);
  return plan;
}

}  // namespace goleakd::probe
