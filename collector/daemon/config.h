// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "probe/governor.h"
#include "probe/prober.h"
#include "verdict/ignore.h"
#include "verdict/thresholds.h"

namespace goleakd::daemon {

enum class WatchMode : std::uint8_t {
  automatic,  // events as far as they fit the budget, else snapshots
  events,     // events whatever they cost the application
  snapshots,  // never a probe
};

struct ServiceRule {
  std::string exe;   // glob over the executable's path
  std::string name;  // what its processes are called
  bool operator==(const ServiceRule&) const = default;
};

// What services of some name have of their own.
struct ServiceSettings {
  std::string name;  // glob over the service's name (base/glob.h)
  verdict::Thresholds thresholds;
};

// One file of the configuration.
struct ConfigText {
  std::string name;  // for messages
  std::string text;
};

// history.db in the folder that systemd has made for the daemon, else in /var/lib/goleakd.
std::string default_history_path();

// Everything that can be set, with its default. The same names, nested, are the keys of the YAML file
// (docs/operating.md).
struct Config {
  std::string listen = "127.0.0.1:9979";  // empty: no TCP listener
  std::string socket = "/run/goleakd/goleakd.sock";
  WatchMode mode = WatchMode::automatic;
  std::string log_level = "info";

  struct Targets {
    std::vector<std::string> include;  // globs over the executable's path; empty: every Go program
    std::vector<std::string> exclude;
    std::vector<int> pids;  // not from the file: the one process that a command was asked about
    std::vector<ServiceRule> services;
    std::string host_root = "/";  // where the host's own file system is seen, for the names of containers
    bool operator==(const Targets&) const = default;
  } targets;

  struct Snapshots {
    Duration interval = std::chrono::seconds(10);
    Duration interval_with_suspects = std::chrono::seconds(2);
    double max_cpu = 0.01;  // of one core, for all targets together; above it, snapshots become rarer
  } snapshots;

  probe::Budget budget;  // of the probes

  struct Probes {
    Duration drain_interval = std::chrono::milliseconds(50);
    std::uint32_t ring_bytes = 8U << 20U;
    std::optional<probe::Method> method;
  } probes;

  verdict::Thresholds thresholds;

  struct History {
    bool enabled = true;
    std::string path = default_history_path();
    std::uint64_t max_bytes = 256U << 20U;        // of the file and its log
    Duration interval = std::chrono::minutes(1);  // of the finest counts
    bool operator==(const History&) const = default;
  } history;

  std::vector<ServiceSettings> services;  // the first whose name fits counts
  verdict::IgnoreRules ignore;
  std::size_t sites_per_app = 50;
  bool site_histograms = false;  // of how long the parks of each site last: a dozen series more for each

  // Not from the files: the places, with file, line and column, of rules that have expired, in words.
  std::vector<std::string> expired;

  const verdict::Thresholds& thresholds_of(const std::string& service) const;

  // Wrong syntax, unknown keys and values out of range are `invalid`, with file, line and column. What a later file
  // sets counts; lists grow by those of later files.
  static Result<Config> parse(const std::vector<ConfigText>& files);
  static Result<Config> parse(const std::string& text, const std::string& name) { return parse({{name, text}}); }
};

// `path` matches one of the globs; "*" also matches "/".
bool matches_any(const std::vector<std::string>& globs, const std::string& path);

}  // namespace goleakd::daemon
