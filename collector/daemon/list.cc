// SPDX-License-Identifier: Apache-2.0
#include "text/list.h"

#include <cstdio>
#include <memory>
#include <vector>

#include "daemon/commands.h"
#include "daemon/discovery.h"
#include "daemon/output_file.h"
#include "daemon/progress.h"
#include "daemon/supervisor.h"
#include "probe/plan.h"
#include "snapshot/process_memory.h"
#include "snapshot/reader.h"
#include "text/json.h"

namespace goleakd::daemon {
namespace {

std::string container_text(const target::Container& container) {
  if (!container.pod.empty()) return container.pod_namespace + "/" + container.pod + "/" + container.name;
  return container.name.empty() ? container.id.substr(0, 12) : container.name;  // as docker ps shows ids
}

std::string layout_text(const target::GoBinary& binary) {
  std::string text(to_string(binary.layout_origin()));
  if (binary.layout_origin() == target::LayoutOrigin::nearest) text += " 1." + std::to_string(binary.layout().minor);
  return text;
}

text::ListRow row_of(const std::shared_ptr<const target::GoProcess>& shared, const std::string& events_unavailable) {
  const target::GoProcess& process = *shared;
  text::ListRow row{.pid = process.pid,
                    .app = process.service,
                    .go_version = process.binary->build_info().version.text,
                    .exe = process.exe,
                    .goroutines = {},
                    .watch = "events",
                    .reason = {},
                    .container = container_text(process.container),
                    .layout = layout_text(*process.binary)};
  const probe::Plan plan = probe::plan_probes(*process.binary);
  row.reason = !events_unavailable.empty() ? events_unavailable : plan.why_not(probe::Group::spawn_exit);
  if (!row.reason.empty()) row.watch = "snapshots";
  const snapshot::ProcessMemory memory(process.pid);
  snapshot::Reader reader(shared, memory);
  snapshot::SnapshotOptions counts_only;
  counts_only.stacks = false;
  const auto snapshot = reader.take(counts_only);
  if (!snapshot) {
    row.watch = "no";
    row.reason = snapshot.error().message();
    return row;
  }
  row.goroutines = snapshot->goroutines.count_of_program();
  return row;
}

}  // namespace

Result<void> list(Format format) {
  const Config config;
  const auto prober = make_prober(config);
  const std::string events_unavailable = prober ? "" : prober.error().message();
  const FoundProcesses found = find_processes(target::Procfs{}, config.targets);
  std::vector<text::ListRow> rows;
  {
    Progress progress("looking at Go processes");
    for (const auto& process : found.processes) {
      progress.show(rows.size(), found.processes.size());
      rows.push_back(row_of(process, events_unavailable));
    }
  }
  for (const verdict::UnsupportedReport& other : found.unsupported) {
    rows.push_back({.pid = other.pid,
                    .app = {},
                    .go_version = {},
                    .exe = other.exe,
                    .goroutines = {},
                    .watch = "no",
                    .reason = other.reason});
  }
  const std::string text = format == Format::json ? text::to_text(text::list_json(rows)) : text::list_text(rows);
  auto out = OutputFile::open("");
  if (!out) return fail(out.error());
  out->write(text);
  if (found.unreadable > 0) {
    std::fprintf(stderr, "goleakd: %llu more processes may not be looked at, Go programs or not: run it as root\n",
                 static_cast<unsigned long long>(found.unreadable));
  }
  return out->finish();
}

}  // namespace goleakd::daemon
