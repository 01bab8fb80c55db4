// SPDX-License-Identifier: Apache-2.0
#include "daemon/config_thresholds.h"

#include <chrono>
#include <string>
#include <utility>

namespace goleakd::daemon {

void read_thresholds(ConfigReader& reader, const YAML::Node& node, verdict::Thresholds& thresholds) {
  using std::chrono::seconds;
  verdict::Thresholds& t = thresholds;
  const ConfigReader::Keys keys{{"quiet_after_start", reader.duration(t.quiet_after_start, seconds(0))},
                                {"growing_window", reader.duration(t.growing_window, seconds(2))},
                                {"growing_intervals", reader.number(t.growing_intervals, 2, 1000)},
                                {"growing_rises", reader.number(t.growing_rises, 1, 1000)},
                                {"growing_survival", reader.number(t.growing_survival, 0.0, 1.0)},
                                {"accumulating_window", reader.duration(t.accumulating_window, seconds(2))},
                                {"spinning_awake", reader.number(t.spinning_awake, 0.0, 1.0)},
                                {"stuck_after", reader.duration(t.stuck_after, seconds(1))},
                                {"cancelled_after", reader.duration(t.cancelled_after, seconds(1))},
                                {"stale_after", reader.duration(t.stale_after, seconds(1))},
                                {"confirm_windows", reader.number(t.confirm_windows, 1, 100)},
                                {"resolve_windows", reader.number(t.resolve_windows, 1, 100)},
                                {"keep_resolved", reader.duration(t.keep_resolved, seconds(0))}};
  reader.mapping(node, "thresholds", keys);
  if (reader.error()) return;
  if (t.growing_rises > t.growing_intervals) {
    reader.fault(node, "growing_rises is larger than growing_intervals");
  }
  if (t.accumulating_window < t.growing_window) {
    reader.fault(node, "accumulating_window is shorter than growing_window");
  }
}

void read_services(ConfigReader& reader, const YAML::Node& node, Config& config) {
  if (!node.IsSequence()) return reader.fault(node, "must be a list of {name: GLOB, thresholds: {…}}");
  for (const auto& item : node) {
    ServiceSettings settings{.name = {}, .thresholds = config.thresholds};
    reader.mapping(item, "services",
                   {{"name", reader.text(settings.name)}, {"thresholds", [&](const YAML::Node& thresholds) {
                                                             read_thresholds(reader, thresholds, settings.thresholds);
                                                           }}});
    if (reader.error()) return;
    if (settings.name.empty()) return reader.fault(item, "needs the name of the service");
    config.services.push_back(std::move(settings));
  }
}

}  // namespace goleakd::daemon
