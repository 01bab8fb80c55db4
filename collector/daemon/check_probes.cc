// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <utility>

#include "daemon/check.h"
#include "probe/plan.h"
#include "target/go_binary.h"
#include "text/json.h"
#include "text/probes.h"

namespace goleakd::daemon {
namespace {

text::ProbeRow row_of(const probe::PlannedPoint& point, const probe::Probe* chosen) {
  text::ProbeRow row{.probe = std::string(probe::to_string(point.row.kind)),
                     .group = std::string(probe::to_string(point.row.group)),
                     .function = std::string(point.row.place.function),
                     .address = 0,
                     .instruction = {},
                     .cost = {},
                     .reason = point.refused};
  if (chosen == nullptr) return row;
  row.function = chosen->function;
  row.address = chosen->site.address;
  row.instruction = probe::to_string(chosen->site.kind);
  if (chosen->site.kind == probe::SiteKind::call) row.instruction += " " + std::string(chosen->callee);
  row.cost = chosen->site.kind == probe::SiteKind::stepped ? "single-stepped" : "emulated";
  row.reason = point.otherwise;
  return row;
}

text::ProbeTable table_of(const std::string& path, const target::GoBinary& binary) {
  text::ProbeTable table{.binary = path, .go_version = binary.build_info().version.text, .rows = {}, .refused = {}};
  const probe::Plan plan = probe::plan_probes(binary);
  for (const probe::PlannedPoint& point : plan.points) {
    for (const probe::Probe& chosen : point.probes) table.rows.push_back(row_of(point, &chosen));
    if (!point.refused.empty()) table.rows.push_back(row_of(point, nullptr));
  }
  for (const probe::Group group :
       {probe::Group::spawn_exit, probe::Group::park_unpark, probe::Group::panics, probe::Group::deaths,
        probe::Group::spawners, probe::Group::wakers, probe::Group::objects}) {
    if (!plan.has(group)) table.refused.push_back(std::string(probe::to_string(group)) + ": " + plan.why_not(group));
  }
  return table;
}

}  // namespace

Result<void> check_probes(const std::string& path, Format format) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail(Error::from_errno(errno, "opening " + path));
  const auto binary = target::GoBinary::open(std::move(fd), path);
  if (!binary) return fail(binary.error());
  const text::ProbeTable table = table_of(path, **binary);
  const std::string text = format == Format::json ? text::to_text(text::probes_json(table)) : text::probes_text(table);
  std::fputs(text.c_str(), stdout);
  if (table.refused.empty()) return {};
  return fail(ErrorKind::unsupported, path + " can't be probed fully; snapshots show the rest");
}

}  // namespace goleakd::daemon
