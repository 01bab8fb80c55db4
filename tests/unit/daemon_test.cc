// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "daemon/commands.h"
#include "daemon/config_files.h"
#include "daemon/reload.h"

namespace goleakd::daemon {
namespace {

TEST(Config, IsCompleteWithoutAFile) {
  const auto config = Config::parse("", "x.yaml");
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->listen, "127.0.0.1:9979");
  EXPECT_EQ(config->thresholds.growing_window, std::chrono::minutes(5));
}

TEST(Config, TakesEveryKeyThatTheExampleShows) {
  const auto config = Config::parse(R"(
listen: "127.0.0.1:1234"
socket: /tmp/s
mode: snapshots
log_level: debug
sites_per_app: 7
targets:
  include: ["/opt/*", "/usr/bin/shop"]
  exclude: ["*/test"]
  services: [{exe: "/opt/a*", name: alpha}]
  host_root: /host
snapshots: {interval: 1s, interval_with_suspects: 500ms, max_cpu: 0.05}
budget: {max_overhead: 0.02, idle_cores: 0.5, hold: 1m}
probes: {drain_interval: 10ms, ring_bytes: 1048576, method: perf_event}
history: {enabled: false, path: /srv/history.db, max_size: 1GiB, interval: 30s}
thresholds: {quiet_after_start: 0s, growing_window: 40s, growing_intervals: 8, growing_rises: 7, growing_survival: 0.9,
             stuck_after: 90s, stale_after: 2h, confirm_windows: 1, resolve_windows: 3, keep_resolved: 1m}
)",
                                    "x.yaml");
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->mode, WatchMode::snapshots);
  EXPECT_TRUE(matches_any(config->targets.include, "/opt/deep/er/shop"));
  EXPECT_FALSE(matches_any(config->targets.include, "/usr/bin/shop2"));
  EXPECT_EQ(config->targets.services.at(0).name, "alpha");
  EXPECT_EQ(config->targets.host_root, "/host");
  EXPECT_DOUBLE_EQ(config->snapshots.max_cpu, 0.05);
  EXPECT_EQ(config->probes.method, probe::Method::perf_event);
  EXPECT_FALSE(config->history.enabled);
  EXPECT_EQ(config->history.path, "/srv/history.db");
  EXPECT_EQ(config->history.max_bytes, 1U << 30U);
  EXPECT_EQ(config->history.interval, std::chrono::seconds(30));
  EXPECT_EQ(config->thresholds.interval(), std::chrono::seconds(5));
  EXPECT_DOUBLE_EQ(config->thresholds.growing_survival, 0.9);
  EXPECT_EQ(config->thresholds.stuck_after, std::chrono::seconds(90));
}

struct BadConfig {
  const char* text;
  const char* where;  // line and column
  const char* what;
};

TEST(Config, TakesRulesForLeaksToLeaveAlone) {
  const auto config = Config::parse(R"(
ignore:
  - reason: flushes for life
    created_by: example.com/log.*
    service: shop
  - {reason: known, leak: 8f0c1d2e3f405162, until: 2020-01-31}
)",
                                    "x.yaml");
  ASSERT_TRUE(config) << config.error().message();
  ASSERT_EQ(config->ignore.rules.size(), 2U);
  EXPECT_EQ(config->ignore.rules[0].created_by, "example.com/log.*");
  EXPECT_EQ(config->ignore.rules[0].service, "shop");
  EXPECT_EQ(config->ignore.rules[1].until, std::chrono::sys_days(std::chrono::year(2020) / 1 / 31));
  EXPECT_TRUE(config->ignore.built_in);
  ASSERT_EQ(config->expired.size(), 1U);
  EXPECT_TRUE(config->expired[0].starts_with("x.yaml:6:52: this rule has expired")) << config->expired[0];
}

TEST(Config, TakesWhatWasAccepted) {
  const auto config = Config::parse(R"(
builtin_rules: false
ignore:
  - {reason: ticket 7, service: shop, leak: 8f0c1d2e3f405162, up_to: 1236, accepted: 2026-11-26}
)",
                                    "x.yaml");
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_FALSE(config->ignore.built_in);
  ASSERT_EQ(config->ignore.rules.size(), 1U);
  EXPECT_EQ(config->ignore.rules[0].up_to, 1236U);
  EXPECT_EQ(config->ignore.rules[0].accepted, std::chrono::sys_days(std::chrono::year(2026) / 11 / 26));
  EXPECT_FALSE(config->ignore.rules[0].until);
}

TEST(Config, ServicesHaveThresholdsOfTheirOwn) {
  // Written before the general ones, which they take the rest from all the same.
  const auto config = Config::parse(R"(
services:
  - {name: "batch-*", thresholds: {growing_window: 10m, stale_after: 8h}}
  - {name: "batch-night", thresholds: {stale_after: 24h}}
thresholds: {confirm_windows: 3, stale_after: 2h}
)",
                                    "x.yaml");
  ASSERT_TRUE(config) << config.error().message();
  const verdict::Thresholds& night = config->thresholds_of("batch-night");
  EXPECT_EQ(night.growing_window, std::chrono::minutes(10));
  EXPECT_EQ(night.stale_after, std::chrono::hours(8)) << "the first that fits";
  EXPECT_EQ(night.confirm_windows, 3);
  EXPECT_EQ(config->thresholds_of("shop").growing_window, std::chrono::minutes(5));
  EXPECT_EQ(config->thresholds_of("shop").stale_after, std::chrono::hours(2));
}

TEST(Config, LaterFilesAddAndOverride) {
  const auto config = Config::parse({{"a.yaml",
                                      "log_level: error\nignore: [{reason: a, created_by: a}]\n"
                                      "services: [{name: shop, thresholds: {stale_after: 5h}}]\n"},
                                     {"b.yaml", ""},
                                     {"c.yaml",
                                      "log_level: debug\nignore: [{reason: c, created_by: c}]\n"
                                      "thresholds: {confirm_windows: 7}\n"}});
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->log_level, "debug");
  ASSERT_EQ(config->ignore.rules.size(), 2U);
  EXPECT_EQ(config->ignore.rules[1].reason, "c");
  EXPECT_EQ(config->thresholds_of("shop").stale_after, std::chrono::hours(5));
  EXPECT_EQ(config->thresholds_of("shop").confirm_windows, 7) << "of all files";
}

TEST(Config, SaysWhichOfItsFilesIsWrong) {
  const auto config = Config::parse({{"a.yaml", "log_level: error\n"}, {"d/b.yaml", "\nlevel: 1\n"}});
  ASSERT_FALSE(config);
  EXPECT_TRUE(config.error().message().starts_with("d/b.yaml:2:1: unknown key")) << config.error().message();
}

TEST(ConfigFiles, DropInsStandBesideTheFile) {
  EXPECT_EQ(drop_in_folder("/etc/goleakd/goleakd.yaml"), "/etc/goleakd/goleakd.d");
  EXPECT_EQ(drop_in_folder("/etc/goleakd/goleakd.yml"), "/etc/goleakd/goleakd.d");
  EXPECT_EQ(drop_in_folder("/srv/my.conf"), "/srv/my.conf.d");
}

TEST(ConfigFiles, AreReadInTheOrderOfTheirNames) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "goleakd_config_files";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder / "goleakd.d");
  const auto write = [&](const std::string& name) { std::ofstream(folder / name) << "# " << name << "\n"; };
  for (const char* name : {"goleakd.yaml", "goleakd.d/20-b.yaml", "goleakd.d/10-a.yaml", "goleakd.d/.hidden.yaml",
                           "goleakd.d/30-c.yaml~", "goleakd.d/README"}) {
    write(name);
  }
  const auto files = read_config_files(folder / "goleakd.yaml");
  ASSERT_TRUE(files) << files.error().message();
  std::vector<std::string> names;
  for (const ConfigText& file : *files) names.push_back(std::filesystem::path(file.name).filename());
  EXPECT_EQ(names, (std::vector<std::string>{"goleakd.yaml", "10-a.yaml", "20-b.yaml"}));
  EXPECT_EQ(files->at(1).text, "# goleakd.d/10-a.yaml\n");
  std::filesystem::remove_all(folder);
}

TEST(Reload, SaysWhatNeedsARestartAndTakesTheRest) {
  Config old;
  Config fresh;
  fresh.listen = "127.0.0.1:1";
  fresh.mode = WatchMode::snapshots;
  fresh.targets.host_root = "/host";
  fresh.probes.ring_bytes = 1U << 16U;
  fresh.targets.include = {"/opt/*"};
  fresh.thresholds.confirm_windows = 5;
  fresh.ignore.rules = {{.reason = "known", .created_by = "main.*"}};
  fresh.sites_per_app = 3;
  const ReloadPlan plan = plan_reload(old, fresh);
  EXPECT_EQ(plan.needs_restart, (std::vector<std::string>{"listen", "mode", "targets.host_root", "probes.ring_bytes"}));
  EXPECT_EQ(plan.config.listen, old.listen);
  EXPECT_EQ(plan.config.mode, old.mode);
  EXPECT_EQ(plan.config.targets.host_root, "/");
  EXPECT_EQ(plan.config.probes.ring_bytes, old.probes.ring_bytes);
  EXPECT_EQ(plan.config.targets.include, fresh.targets.include);
  EXPECT_EQ(plan.config.thresholds, fresh.thresholds);
  EXPECT_EQ(plan.config.ignore.rules.size(), 1U);
  EXPECT_EQ(plan.config.sites_per_app, 3U);
  EXPECT_TRUE(plan_reload(old, old).needs_restart.empty());
}

TEST(Config, NamesPlaceAndFaultOfWhatIsWrong) {
  const std::vector<BadConfig> bad{
      {"listen: x\nlisten_to: y\n", "x.yaml:2:1", "unknown key \"listen_to\"; known are"},
      {"targets:\n  includes: []\n", "x.yaml:2:3",
       "unknown key \"includes\" in targets; known are exclude, host_root, include, services"},
      {"mode: both\n", "x.yaml:1:7", "must be one of auto, events, snapshots"},
      {"snapshots: {interval: 10}\n", "x.yaml:1:23", "not a duration"},
      {"snapshots: {interval: 1ms}\n", "x.yaml:1:23", "at least 100ms"},
      {"snapshots: {max_cpu: 0}\n", "x.yaml:1:22", "must be a number from 0.0001 to 1"},
      {"budget: {max_overhead: -1}\n", "x.yaml:1:24", "must be a number"},
      {"probes: {ring_bytes: 100000}\n", "x.yaml:1:22", "power of two"},
      {"targets: {include: /opt}\n", "x.yaml:1:20", "must be a list"},
      {"targets: {services: [{exe: /x}]}\n", "x.yaml:1:22", "needs both exe and name"},
      {"thresholds: {growing_intervals: 3, growing_rises: 4}\n", "x.yaml:1:13", "larger than"},
      {"thresholds: {accumulating_window: 1m}\n", "x.yaml:1:13", "shorter than growing_window"},
      {"ignore: all\n", "x.yaml:1:9", "must be a list of rules"},
      {"ignore: [{created_by: main.main}]\n", "x.yaml:1:10", "needs a reason"},
      {"ignore: [{reason: x, service: shop}]\n", "x.yaml:1:10", "it would ignore everything"},
      {"ignore: [{reason: x, func: main}]\n", "x.yaml:1:22",
       "unknown key \"func\" in ignore; known are accepted, any_function,"},
      {"ignore: [{reason: x, created_by: y, until: 2027-02-30}]\n", "x.yaml:1:44", "must be a day"},
      {"ignore: [{reason: x, created_by: y, until: soon}]\n", "x.yaml:1:44", "must be a day"},
      {"ignore: [{reason: x, leak: 8f0c}]\n", "x.yaml:1:28", "must be the id of a leak"},
      {"ignore: [{reason: x, leak: 8F0C1D2E3F405162}]\n", "x.yaml:1:28", "must be the id of a leak"},
      {"ignore: [{reason: x, created_by: \"*\"}]\n", "x.yaml:1:34", "would match everything"},
      {"ignore: [{reason: x, blocked_in: \"main.f \"}]\n", "x.yaml:1:34", "no name begins or ends with a space"},
      {"ignore: [{reason: x, any_function: \"\"}]\n", "x.yaml:1:36", "would match nothing"},
      {"ignore: [{reason: x, created_by: y, up_to: 0}]\n", "x.yaml:1:44", "must be a number from 1"},
      {"ignore: [{reason: x, created_by: y, up_to: -3}]\n", "x.yaml:1:44", "must be a number from 1"},
      {"builtin_rules: maybe\n", "x.yaml:1:16", "must be one of false, true"},
      {"targets: {include: [\"/opt/[ab\"]}\n", "x.yaml:1:21", "never closed"},
      {"targets: {services: [{exe: \"/opt/[ab\", name: x}]}\n", "x.yaml:1:28", "never closed"},
      {"services: [{thresholds: {stale_after: 1m}}]\n", "x.yaml:1:12", "needs the name"},
      {"services: [{name: a, thresholds: {stale: 1m}}]\n", "x.yaml:1:35", "unknown key \"stale\" in thresholds"},
      {"services: [{name: a, thresholds: {growing_window: 1h}}]\n", "x.yaml:1:34", "shorter than growing_window"},
      {"history: {size: 1GiB}\n", "x.yaml:1:11",
       "unknown key \"size\" in history; known are enabled, interval, max_size, path"},
      {"history: {max_size: 64}\n", "x.yaml:1:21", "is not a size"},
      {"history: {max_size: 1MiB}\n", "x.yaml:1:21", "must be at least 4MiB"},
      {"history: {enabled: maybe}\n", "x.yaml:1:20", "must be one of false, true"},
      {"history: {interval: 1ms}\n", "x.yaml:1:21", "must be at least 1s"},
      {"history:\n  interval: 2h\n", "x.yaml:2:3", "longer than 1h"},
      {"history:\n  path: here.db\n", "x.yaml:2:3", "must begin with /"},
      {"listen: [\n", "x.yaml:", ""},
      {"- a\n", "x.yaml:1:1", "must be a mapping"},
  };
  for (const BadConfig& b : bad) {
    const auto config = Config::parse(b.text, "x.yaml");
    ASSERT_FALSE(config) << b.text;
    EXPECT_EQ(config.error().kind(), ErrorKind::invalid);
    EXPECT_TRUE(config.error().message().starts_with(b.where)) << config.error().message();
    EXPECT_NE(config.error().message().find(b.what), std::string::npos) << config.error().message();
  }
}

TEST(Config, HistoryIsInTheFolderThatSystemdHasMade) {
  ::unsetenv("STATE_DIRECTORY");
  EXPECT_EQ(Config().history.path, "/var/lib/goleakd/history.db");
  ::setenv("STATE_DIRECTORY", "/var/lib/one:/var/lib/two", 1);
  EXPECT_EQ(Config().history.path, "/var/lib/one/history.db");
  ::unsetenv("STATE_DIRECTORY");
}

TEST(Config, SaysWhichFileIsNotThere) {
  const auto config = load_config("/nonexistent/goleakd.yaml");
  ASSERT_FALSE(config);
  EXPECT_EQ(exit_code(config.error()), 2);
  EXPECT_NE(config.error().message().find("/nonexistent/goleakd.yaml"), std::string::npos);
}

TEST(ExitCode, TellsUsageFromHost) {
  EXPECT_EQ(exit_code({ErrorKind::invalid, ""}), 2);
  EXPECT_EQ(exit_code({ErrorKind::permission, ""}), 3);
  EXPECT_EQ(exit_code({ErrorKind::unsupported, ""}), 3);
  EXPECT_EQ(exit_code({ErrorKind::gone, ""}), 1);
}

}  // namespace
}  // namespace goleakd::daemon
