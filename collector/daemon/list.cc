// SPDX-License-Identifier: Apache-2.0
#include "text/list.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "daemon/commands.h"
#include "daemon/discovery.h"
#include "daemon/supervisor.h"
#include "probe/plan.h"
#include "snapshot/process_memory.h"
#include "snapshot/snapshot.h"
#include "text/json.h"

namespace goleakd::daemon {
namespace {

text::ListRow row_of(const target::GoProcess& process, const std::string& events_unavailable) {
  text::ListRow row{.pid = process.pid,
                    .app = process.service,
                    .go_version = process.binary->build_info().version.text,
                    .exe = process.exe,
                    .goroutines = {},
                    .watch = "events",
                    .reason = {}};
  const probe::Plan plan = probe::plan_probes(*process.binary);
  row.reason = !events_unavailable.empty() ? events_unavailable : plan.spawn_exit_refused;
  if (!row.reason.empty()) row.watch = "snapshots";
  const auto snapshot = snapshot::take_snapshot(process, snapshot::ProcessMemory(process.pid));
  if (!snapshot) {
    row.watch = "no";
    row.reason = snapshot.error().message();
    return row;
  }
  row.goroutines =
      static_cast<std::uint64_t>(std::ranges::count(snapshot->goroutines, false, &snapshot::Goroutine::system));
  return row;
}

}  // namespace

Result<void> list(Format format) {
  const Config config;
  const auto prober = make_prober(config);
  const std::string events_unavailable = prober ? "" : prober.error().message();
  Discovery discovery(target::Procfs{}, config.targets);
  std::vector<text::ListRow> rows;
  for (const auto& process : discovery.scan().appeared) rows.push_back(row_of(*process, events_unavailable));
  for (const verdict::UnsupportedReport& other : discovery.unsupported()) {
    rows.push_back({.pid = other.pid,
                    .app = {},
                    .go_version = {},
                    .exe = other.exe,
                    .goroutines = {},
                    .watch = "no",
                    .reason = other.reason});
  }
  const std::string text = format == Format::json ? text::to_text(text::list_json(rows)) : text::list_text(rows);
  std::fputs(text.c_str(), stdout);
  return {};
}

}  // namespace goleakd::daemon
