// SPDX-License-Identifier: Apache-2.0
#include "daemon/config.h"

#include <fnmatch.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <map>
#include <sstream>

#include "base/duration.h"
#include "base/read_file.h"
#include "base/size.h"

namespace goleakd::daemon {
namespace {

// The keys of a map, for messages.
template <typename Map>
std::string words_of(const Map& map) {
  std::string list;
  for (const auto& [word, unused] : map) {
    if (!list.empty()) list += ", ";
    list += word;
  }
  return list;
}

// Reads one mapping of the file: a function for each key that may stand in it. Stops at the first fault.
class Reader {
 public:
  using Keys = std::map<std::string, std::function<void(const YAML::Node&)>>;

  explicit Reader(std::string file) : file_(std::move(file)) {}

  const std::optional<Error>& error() const { return error_; }

  void fault(const YAML::Node& at, const std::string& what) {
    if (!error_) error_ = Error(ErrorKind::invalid, place(at) + what);
  }

  // "FILE:LINE:COLUMN: "
  std::string place(const YAML::Node& at) const {
    const YAML::Mark mark = at.Mark();
    return file_ + ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1) + ": ";
  }

  void mapping(const YAML::Node& node, const std::string& name, const Keys& keys) {
    if (node.IsNull()) return;
    if (!node.IsMap()) return fault(node, (name.empty() ? "the file" : name) + " must be a mapping of keys to values");
    for (const auto& entry : node) {
      const std::string key = entry.first.Scalar();
      const auto known = keys.find(key);
      if (known == keys.end()) {
        return fault(entry.first, "unknown key \"" + key + "\"" + (name.empty() ? "" : " in " + name) + "; known are " +
                                      words_of(keys));
      }
      known->second(entry.second);
      if (error_) return;
    }
  }

  auto text(std::string& into) {
    return [this, &into](const YAML::Node& node) {
      if (!node.IsScalar()) return fault(node, "must be a text");
      into = node.Scalar();
    };
  }

  auto texts(std::vector<std::string>& into) {
    return [this, &into](const YAML::Node& node) {
      if (!node.IsSequence()) return fault(node, "must be a list");
      for (const auto& item : node) {
        if (!item.IsScalar()) return fault(item, "must be a text");
        into.push_back(item.Scalar());
      }
    };
  }

  auto duration(Duration& into, Duration least) {
    return [this, &into, least](const YAML::Node& node) {
      const auto value =
          node.IsScalar() ? parse_duration(node.Scalar()) : fail(ErrorKind::invalid, "must be a duration");
      if (!value) return fault(node, value.error().message());
      if (*value < least) return fault(node, "must be at least " + format_duration(least));
      into = *value;
    };
  }

  auto size(std::uint64_t& into, std::uint64_t least) {
    return [this, &into, least](const YAML::Node& node) {
      const auto value = node.IsScalar() ? parse_size(node.Scalar()) : fail(ErrorKind::invalid, "must be a size");
      if (!value) return fault(node, value.error().message());
      if (*value < least) return fault(node, "must be at least " + std::to_string(least >> 20U) + "MiB");
      into = *value;
    };
  }

  template <typename T>
  auto number(T& into, T least, T most) {
    return [this, &into, least, most](const YAML::Node& node) {
      T value{};
      if (!node.IsScalar() || !YAML::convert<T>::decode(node, value) || value < least || value > most) {
        std::ostringstream range;
        range << "must be a number from " << least << " to " << most;
        return fault(node, range.str());
      }
      into = value;
    };
  }

  template <typename T>
  auto choice(T& into, const std::map<std::string, T>& words) {
    return [this, &into, words](const YAML::Node& node) {
      const auto found = node.IsScalar() ? words.find(node.Scalar()) : words.end();
      if (found != words.end()) {
        into = found->second;
        return;
      }
      fault(node, "must be one of " + words_of(words));
    };
  }

  auto yes_or_no(bool& into) { return choice<bool>(into, {{"false", false}, {"true", true}}); }

 private:
  std::string file_;
  std::optional<Error> error_;
};

// YYYY-MM-DD.
std::optional<std::chrono::sys_days> parse_day(const std::string& text) {
  std::tm fields{};
  const char* end = ::strptime(text.c_str(), "%Y-%m-%d", &fields);
  if (end == nullptr || *end != '\0') return std::nullopt;
  const std::chrono::year_month_day day(std::chrono::year(fields.tm_year + 1900),
                                        std::chrono::month(static_cast<unsigned>(fields.tm_mon) + 1),
                                        std::chrono::day(static_cast<unsigned>(fields.tm_mday)));
  if (!day.ok()) return std::nullopt;
  return std::chrono::sys_days(day);
}

void read_ignore_rules(Reader& reader, const YAML::Node& node, Config& config) {
  if (!node.IsSequence()) return reader.fault(node, "must be a list of rules, each with a reason");
  for (const auto& item : node) {
    verdict::IgnoreRule rule;
    const auto until = [&](const YAML::Node& day) {
      rule.until = day.IsScalar() ? parse_day(day.Scalar()) : std::nullopt;
      if (!rule.until) return reader.fault(day, "must be a day, as 2027-01-31");
      if (*rule.until > std::chrono::system_clock::now()) return;
      // Not an error: a daemon that does not start any more because a day has come would watch nothing.
      config.warnings.push_back(reader.place(day) + "this rule has expired: what it ignored is told of again");
    };
    reader.mapping(item, "ignore",
                   {{"reason", reader.text(rule.reason)},
                    {"service", reader.text(rule.service)},
                    {"created_by", reader.text(rule.created_by)},
                    {"blocked_in", reader.text(rule.blocked_in)},
                    {"any_function", reader.text(rule.any_function)},
                    {"leak", reader.text(rule.leak)},
                    {"until", until}});
    if (rule.reason.empty()) return reader.fault(item, "needs a reason");
    if (!rule.has_condition()) {
      return reader.fault(item,
                          "needs one of created_by, blocked_in, any_function and leak: it would ignore everything");
    }
    config.ignore.push_back(std::move(rule));
  }
}

void read_service_rules(Reader& reader, const YAML::Node& node, std::vector<ServiceRule>& rules) {
  if (!node.IsSequence()) return reader.fault(node, "must be a list of {exe: GLOB, name: NAME}");
  for (const auto& item : node) {
    ServiceRule rule;
    reader.mapping(item, "services", {{"exe", reader.text(rule.exe)}, {"name", reader.text(rule.name)}});
    if (rule.exe.empty() || rule.name.empty()) return reader.fault(item, "needs both exe and name");
    rules.push_back(std::move(rule));
  }
}

void read_ring_bytes(Reader& reader, const YAML::Node& node, std::uint32_t& into) {
  std::uint32_t bytes = 0;
  reader.number<std::uint32_t>(bytes, 64U << 10U, 1U << 30U)(node);
  if (!reader.error() && !std::has_single_bit(bytes)) return reader.fault(node, "must be a power of two");
  into = bytes;
}

void read(Reader& reader, const YAML::Node& root, Config& config) {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  verdict::Thresholds& t = config.thresholds;
  const Reader::Keys targets{
      {"include", reader.texts(config.targets.include)},
      {"exclude", reader.texts(config.targets.exclude)},
      {"host_root", reader.text(config.targets.host_root)},
      {"services", [&](const YAML::Node& node) { read_service_rules(reader, node, config.targets.services); }}};
  const Reader::Keys snapshots{
      {"interval", reader.duration(config.snapshots.interval, milliseconds(100))},
      {"interval_with_suspects", reader.duration(config.snapshots.interval_with_suspects, milliseconds(100))},
      {"max_cpu", reader.number(config.snapshots.max_cpu, 0.0001, 1.0)}};
  const Reader::Keys budget{{"max_overhead", reader.number(config.budget.max_overhead, 0.0001, 1.0)},
                            {"idle_cores", reader.number(config.budget.idle_cores, 0.001, 1000.0)},
                            {"hold", reader.duration(config.budget.hold, seconds(1))}};
  const Reader::Keys probes{
      {"drain_interval", reader.duration(config.probes.drain_interval, milliseconds(1))},
      {"ring_bytes", [&](const YAML::Node& node) { read_ring_bytes(reader, node, config.probes.ring_bytes); }},
      {"method",
       reader.choice<std::optional<probe::Method>>(config.probes.method, {{"auto", std::nullopt},
                                                                          {"uprobe_multi", probe::Method::uprobe_multi},
                                                                          {"perf_event", probe::Method::perf_event}})}};
  const Reader::Keys thresholds{{"quiet_after_start", reader.duration(t.quiet_after_start, seconds(0))},
                                {"growing_window", reader.duration(t.growing_window, seconds(2))},
                                {"growing_intervals", reader.number(t.growing_intervals, 2, 1000)},
                                {"growing_rises", reader.number(t.growing_rises, 1, 1000)},
                                {"growing_survival", reader.number(t.growing_survival, 0.0, 1.0)},
                                {"accumulating_window", reader.duration(t.accumulating_window, seconds(2))},
                                {"spinning_awake", reader.number(t.spinning_awake, 0.0, 1.0)},
                                {"stuck_after", reader.duration(t.stuck_after, seconds(1))},
                                {"stale_after", reader.duration(t.stale_after, seconds(1))},
                                {"confirm_windows", reader.number(t.confirm_windows, 1, 100)},
                                {"resolve_windows", reader.number(t.resolve_windows, 1, 100)},
                                {"keep_resolved", reader.duration(t.keep_resolved, seconds(0))}};
  const Reader::Keys history{{"enabled", reader.yes_or_no(config.history.enabled)},
                             {"path", reader.text(config.history.path)},
                             {"max_size", reader.size(config.history.max_bytes, 4U << 20U)},
                             {"interval", reader.duration(config.history.interval, seconds(1))}};
  const auto nested = [&](const char* name, const Reader::Keys& keys) {
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
       {"thresholds", nested("thresholds", thresholds)},
       {"ignore", [&](const YAML::Node& node) { read_ignore_rules(reader, node, config); }},
       {"sites_per_app", reader.number<std::size_t>(config.sites_per_app, 1, 10'000)},
       {"site_histograms", reader.yes_or_no(config.site_histograms)},
       {"history", nested("history", history)}});
  if (t.growing_rises > t.growing_intervals) {
    reader.fault(root["thresholds"], "growing_rises is larger than growing_intervals");
  }
  if (config.history.interval > std::chrono::hours(1)) {
    reader.fault(root["history"], "interval is longer than 1h");
  }
  if (config.history.path.empty() || config.history.path.front() != '/') {
    reader.fault(root["history"], "path must begin with /");
  }
  if (t.accumulating_window < t.growing_window) {
    reader.fault(root["thresholds"], "accumulating_window is shorter than growing_window");
  }
}

}  // namespace

Result<Config> Config::parse(const std::string& text, const std::string& name) {
  Config config;
  Reader reader(name);
  try {  // yaml-cpp reports syntax errors in no other way
    read(reader, YAML::Load(text), config);
  } catch (const YAML::Exception& e) {
    return fail(ErrorKind::invalid,
                name + ":" + std::to_string(e.mark.line + 1) + ":" + std::to_string(e.mark.column + 1) + ": " + e.msg);
  }
  if (reader.error()) return fail(*reader.error());
  return config;
}

std::string default_history_path() {
  const char* folder = std::getenv("STATE_DIRECTORY");  // may be several, joined by ":"
  const std::string first = folder == nullptr ? "" : std::string(folder).substr(0, std::string(folder).find(':'));
  return (first.empty() ? "/var/lib/goleakd" : first) + "/history.db";
}

Result<Config> Config::load_or_default(const std::string& path) {
  constexpr const char* kDefault = "/etc/goleakd/goleakd.yaml";
  if (!path.empty()) return load(path);
  if (::access(kDefault, F_OK) == 0) return load(kDefault);
  return Config{};
}

Result<Config> Config::load(const std::string& path) {
  const auto text = read_file(path, "reading configuration");
  if (!text) return fail(text.error());
  return parse(*text, path);
}

bool matches_any(const std::vector<std::string>& globs, const std::string& path) {
  return std::ranges::any_of(globs,
                             [&](const std::string& glob) { return ::fnmatch(glob.c_str(), path.c_str(), 0) == 0; });
}

}  // namespace goleakd::daemon
