// SPDX-License-Identifier: Apache-2.0
#include "probe/plan.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace goleakd::probe {
namespace {

using target::InlineTrees;

// Finds the instructions of one binary's probes.
class Planner {
 public:
  explicit Planner(const target::GoBinary& binary) : binary_(binary) {
    std::set<std::string_view> names;
    for (const ProbePoint& row : probe_points()) {
      for (const Place& place : {row.place, row.otherwise}) names.insert({place.function, place.callee});
    }
    names.erase("");
    hosts_ = binary.symbolizer().inlining().hosts_of(names);
  }

  // Its code is in the program, be it only inside of others.
  bool linked(const ProbePoint& row) const {
    return binary_.functions().runtime_function(row.place.function) || !hosts_of(row.place.function).empty();
  }

  PlannedPoint plan(const ProbePoint& row) const {
    PlannedPoint planned{.row = row, .probes = {}, .otherwise = {}, .refused = {}};
    auto probes = probes_at(row.place, row.cold);
    if (!probes && !row.otherwise.function.empty()) {
      planned.otherwise = probes.error().message();
      probes = row.otherwise.function == row.place.function ? in_each_copy(row) : probes_at(row.otherwise, row.cold);
    }
    if (probes) {
      planned.probes = std::move(*probes);
    } else {
      planned.refused = probes.error().message();
    }
    return planned;
  }

 private:
  using Function = target::Pclntab::Function;

  Result<std::vector<Probe>> probes_at(const Place& place, bool cold) const {
    std::vector<Probe> probes;
    const auto function = binary_.functions().runtime_function(place.function);
    const auto hosts = hosts_of(place.function);
    if (!place.callee.empty()) {
      if (function) {
        if (auto ok = add_calls(place, *function, probes); !ok) return fail(ok.error());
      }
      if (auto ok = add_calls(place, hosts, probes); !ok) return fail(ok.error());
      if (probes.empty()) return missing(place.function);
      return probes;
    }
    // Only a function that is called as one is seen each time that it runs.
    if (!hosts.empty()) return inlined(place.function, hosts.front());
    if (!function) return missing(place.function);
    if (auto ok = add_entry(place, *function, cold, probes); !ok) return fail(ok.error());
    return probes;
  }

  // Where it is called as a function its entry is seen; where it was inlined its code stands once more, and what that
  // calls is seen.
  Result<std::vector<Probe>> in_each_copy(const ProbePoint& row) const {
    std::vector<Probe> probes;
    if (const auto function = binary_.functions().runtime_function(row.place.function)) {
      auto ok = add_entry(row.place, *function, row.cold, probes);
      if (!ok) ok = add_calls(row.otherwise, *function, probes);
      if (!ok) return fail(ok.error());
    }
    if (auto ok = add_calls(row.otherwise, hosts_of(row.place.function), probes); !ok) return fail(ok.error());
    if (probes.empty()) return missing(row.place.function);
    return probes;
  }

  Result<void> add_entry(const Place& place, const Function& function, bool cold, std::vector<Probe>& probes) const {
    const auto code = binary_.code_of(function);
    if (!code) return fail(code.error());
    const auto site = cold ? cold_entry_site(*code, function.entry, place.function)
                           : entry_site(*code, function.entry, place.function);
    if (!site) return fail(site.error());
    return add(place, function, *site, probes);
  }

  Result<void> add_calls(const Place& place, const std::vector<Function>& functions, std::vector<Probe>& probes) const {
    for (const Function& function : functions) {
      if (auto ok = add_calls(place, function, probes); !ok) return ok;
    }
    return {};
  }

  Result<void> add_calls(const Place& place, const Function& function, std::vector<Probe>& probes) const {
    if (inlines(function, place.callee)) return inlined(place.callee, function);
    const auto callee = binary_.functions().runtime_function(place.callee);
    if (!callee) return missing(place.callee);
    const auto code = binary_.code_of(function);
    if (!code) return fail(code.error());
    const auto sites = call_sites(*code, function.entry, callee->entry);
    if (sites.empty()) {
      return fail(ErrorKind::not_found, std::string(function.name) + " does not call " + std::string(place.callee));
    }
    for (const Site& site : sites) {
      if (auto ok = add(place, function, site, probes); !ok) return ok;
    }
    return {};
  }

  // Those that it was inlined into.
  std::vector<Function> hosts_of(std::string_view name) const {
    std::vector<Function> functions;
    for (const InlineTrees::Host& host : hosts_) {
      if (host.inlined.contains(name)) functions.push_back(host.function);
    }
    return functions;
  }

  bool inlines(const Function& function, std::string_view callee) const {
    return std::ranges::any_of(hosts_, [&](const InlineTrees::Host& host) {
      return host.function.index == function.index && host.inlined.contains(callee);
    });
  }

  Result<void> add(const Place& place, const Function& function, const Site& site, std::vector<Probe>& probes) const {
    const auto offset = binary_.elf().file_offset(site.address);
    if (!offset) return fail(ErrorKind::invalid, std::string(function.name) + " is not in the file");
    probes.push_back({.point = place.point,
                      .function = std::string(function.name),
                      .callee = place.callee,
                      .site = site,
                      .file_offset = *offset});
    return {};
  }

  static tl::unexpected<Error> inlined(std::string_view name, const Function& into) {
    return fail(ErrorKind::unsupported, std::string(name) + " was inlined into " + std::string(into.name));
  }

  static tl::unexpected<Error> missing(std::string_view name) {
    return fail(ErrorKind::not_found, "the program has no function " + std::string(name));
  }

  const target::GoBinary& binary_;
  std::vector<InlineTrees::Host> hosts_;
};

// Where a function was inlined into another of the table, both rows found the same call.
void drop_doubles(std::vector<PlannedPoint>& points) {
  std::set<std::pair<std::uint64_t, goleakd_point>> seen;
  for (PlannedPoint& point : points) {
    std::erase_if(point.probes,
                  [&](const Probe& probe) { return !seen.emplace(probe.site.address, probe.point).second; });
  }
}

}  // namespace

std::vector<Probe> Plan::probes(Group group) const {
  std::vector<Probe> probes;
  for (const PlannedPoint& point : points) {
    if (point.row.group == group) probes.insert(probes.end(), point.probes.begin(), point.probes.end());
  }
  return probes;
}

Plan plan_probes(const target::GoBinary& binary) {
  Plan plan;
  const Planner planner(binary);
  for (const ProbePoint& row : probe_points()) {
    if (binary.layout().minor < row.first_minor || binary.layout().minor > row.last_minor) continue;
    if (row.if_linked && !planner.linked(row)) continue;
    plan.points.push_back(planner.plan(row));
    const std::string& refused = plan.points.back().refused;
    if (!refused.empty() && plan.has(row.group) && row.group != Group::deaths) plan.refuse(row.group, refused);
  }
  drop_doubles(plan.points);
  if (plan.probes(Group::deaths).empty()) plan.refuse(Group::deaths, "none of the functions by which it dies is known");
  if (binary.layout_origin() == target::LayoutOrigin::nearest) {
    // A snapshot asks live memory whether the layout fits before it trusts it. A probe reads by it at once.
    plan.refused.fill(binary.build_info().version.text + " is not known: probes would read by the layout of Go 1." +
                      std::to_string(binary.layout().minor));
  } else if (!plan.has(Group::spawn_exit) && plan.has(Group::park_unpark)) {
    plan.refuse(Group::park_unpark, "spawn and exit are not probed");
  }
  return plan;
}

}  // namespace goleakd::probe
