// SPDX-License-Identifier: Apache-2.0
#include "daemon/config.h"

#include <fnmatch.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "base/glob.h"
#include "daemon/config_reader.h"
#include "daemon/config_rules.h"
#include "daemon/config_thresholds.h"

namespace goleakd::daemon {
namespace {

// fnmatch(3) takes a bracket that is never closed for itself, which nobody has meant.
void check_glob(ConfigReader& reader, const YAML::Node& at, const std::string& glob) {
  const std::size_t open = glob.find('[');
  if (open != std::string::npos && glob.find(']', open + 1) == std::string::npos) {
    reader.fault(at, "the [ in this pattern is never closed");
  }
}

auto globs(ConfigReader& reader, std::vector<std::string>& into) {
  return [&reader, &into](const YAML::Node& node) {
    reader.texts(into)(node);
    if (reader.error()) return;
    for (const auto& item : node) {
      if (item.Scalar().empty()) reader.fault(item, "must not be empty: it would match nothing");
      check_glob(reader, item, item.Scalar());
    }
  };
}

void read_service_rules(ConfigReader& reader, const YAML::Node& node, std::vector<ServiceRule>& rules) {
  if (!node.IsSequence()) return reader.fault(node, "must be a list of {exe: GLOB, name: NAME}");
  for (const auto& item : node) {
    ServiceRule rule;
    reader.mapping(item, "services", {{"exe", reader.text(rule.exe)}, {"name", reader.text(rule.name)}});
    if (!reader.error()) check_glob(reader, item["exe"], rule.exe);
    if (reader.error()) return;
    if (rule.exe.empty() || rule.name.empty()) return reader.fault(item, "needs both exe and name");
    rules.push_back(std::move(rule));
  }
}

void read_ring_bytes(ConfigReader& reader, const YAML::Node& node, std::uint32_t& into) {
  std::uint32_t bytes = 0;
  reader.number<std::uint32_t>(bytes, 64U << 10U, 1U << 30U)(node);
  if (!reader.error() && !std::has_single_bit(bytes)) return reader.fault(node, "must be a power of two");
  into = bytes;
}

void read(ConfigReader& reader, const YAML::Node& root, Config& config) {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  const ConfigReader::Keys targets{
      {"include", globs(reader, config.targets.include)},
      {"exclude", globs(reader, config.targets.exclude)},
      {"host_root", reader.text(config.targets.host_root)},
      {"services", [&](const YAML::Node& node) { read_service_rules(reader, node, config.targets.services); }}};
  const ConfigReader::Keys snapshots{
      {"interval", reader.duration(config.snapshots.interval, milliseconds(100))},
      {"interval_with_suspects", reader.duration(config.snapshots.interval_with_suspects, milliseconds(100))},
      {"max_cpu", reader.number(config.snapshots.max_cpu, 0.0001, 1.0)}};
  const ConfigReader::Keys budget{{"max_overhead", reader.number(config.budget.max_overhead, 0.0001, 1.0)},
                                  {"idle_cores", reader.number(config.budget.idle_cores, 0.001, 1000.0)},
                                  {"hold", reader.duration(config.budget.hold, seconds(1))}};
  const ConfigReader::Keys probes{
      {"drain_interval", reader.duration(config.probes.drain_interval, milliseconds(1))},
      {"ring_bytes", [&](const YAML::Node& node) { read_ring_bytes(reader, node, config.probes.ring_bytes); }},
      {"method",
       reader.choice<std::optional<probe::Method>>(config.probes.method, {{"auto", std::nullopt},
                                                                          {"uprobe_multi", probe::Method::uprobe_multi},
                                                                          {"perf_event", probe::Method::perf_event}})}};
  const ConfigReader::Keys history{{"enabled", reader.yes_or_no(config.history.enabled)},
                                   {"path", reader.text(config.history.path)},
                                   {"max_size", reader.size(config.history.max_bytes, 4U << 20U)},
                                   {"interval", reader.duration(config.history.interval, seconds(1))}};
  const auto nested = [&](const char* name, const ConfigReader::Keys& keys) {
    return [&reader, name, &keys](const YAML::Node& node) { reader.mapping(node, name, keys); };
  };
  reader.mapping(
      root, "",
      {{"listen", reader.text(config.listen)},
       {"socket", reader.text(config.socket)},
       {"mode", reader.choice<WatchMode>(config.mode, {{"auto", WatchMode::automatic},
                                                       {"events", WatchMode::events},
                                                       {"snapshots", WatchMode::snapshots}})},
       {"log_level",
        reader.choice<std::string>(config.log_level,
                                   {{"debug", "debug"}, {"info", "info"}, {"warning", "warning"}, {"error", "error"}})},
       {"targets", nested("targets", targets)},
       {"snapshots", nested("snapshots", snapshots)},
       {"budget", nested("budget", budget)},
       {"probes", nested("probes", probes)},
       {"thresholds", [&](const YAML::Node& node) { read_thresholds(reader, node, config.thresholds); }},
       {"services", [](const YAML::Node&) {}},  // read_services(), when the rest of all files is known
       {"ignore", [&](const YAML::Node& node) { read_ignore_rules(reader, node, config); }},
       {"builtin_rules", reader.yes_or_no(config.ignore.built_in)},
       {"sites_per_app", reader.number<std::size_t>(config.sites_per_app, 1, 10'000)},
       {"site_histograms", reader.yes_or_no(config.site_histograms)},
       {"history", nested("history", history)}});
  if (reader.error()) return;
  if (config.history.interval > std::chrono::hours(1)) {
    reader.fault(root["history"], "interval is longer than 1h");
  }
  if (config.history.path.empty() || config.history.path.front() != '/') {
    reader.fault(root["history"], "path must begin with /");
  }
}

}  // namespace

Result<Config> Config::parse(const std::vector<ConfigText>& files) {
  Config config;
  std::vector<std::pair<ConfigReader, YAML::Node>> read_so_far;
  for (const ConfigText& file : files) {
    try {  // yaml-cpp reports syntax errors in no other way
      auto& [reader, root] = read_so_far.emplace_back(ConfigReader(file.name), YAML::Load(file.text));
      read(reader, root, config);
      if (reader.error()) return fail(*reader.error());
    } catch (const YAML::Exception& e) {
      return fail(ErrorKind::invalid, file.name + ":" + std::to_string(e.mark.line + 1) + ":" +
                                          std::to_string(e.mark.column + 1) + ": " + e.msg);
    }
  }
  for (auto& [reader, root] : read_so_far) {
    if (!root.IsMap() || !root["services"]) continue;
    read_services(reader, root["services"], config);
    if (reader.error()) return fail(*reader.error());
  }
  return config;
}

std::string default_history_path() {
  const char* folder = std::getenv("STATE_DIRECTORY");  // may be several, joined by ":"
  const std::string first = folder == nullptr ? "" : std::string(folder).substr(0, std::string(folder).find(':'));
  return (first.empty() ? "/var/lib/goleakd" : first) + "/history.db";
}

const verdict::Thresholds& Config::thresholds_of(const std::string& service) const {
  const auto own = std::ranges::find_if(
      services, [&](const ServiceSettings& settings) { return matches_glob(settings.name, service); });
  return own == services.end() ? thresholds : own->thresholds;
}

bool matches_any(const std::vector<std::string>& globs, const std::string& path) {
  return std::ranges::any_of(globs,
                             [&](const std::string& glob) { return ::fnmatch(glob.c_str(), path.c_str(), 0) == 0; });
}

}  // namespace goleakd::daemon
