// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <thread>

#include "prometheus/process_collectable.h"
#include "prometheus/report_collectable.h"
#include "sample_report.h"

namespace goleakd::prometheus {
namespace {

using sample::hours;
using sample::kNow;
using sample::seconds;
using verdict::Stage;
using verdict::TargetReport;

// What a scrape holds: `name{label="value",…}` → value, as Prometheus would read it. Fails on a series that is there
// twice.
std::map<std::string, double> scrape(const ::prometheus::Collectable& collectable) {
  const std::string text = ::prometheus::TextSerializer().Serialize(collectable.Collect());
  std::map<std::string, double> series;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t space = line.rfind(' ');
    const bool fresh = series.emplace(line.substr(0, space), std::stod(line.substr(space + 1))).second;
    EXPECT_TRUE(fresh) << "twice: " << line;
  }
  return series;
}

class Metrics : public testing::Test {
 protected:
  // The series after `report` has become the newest one.
  std::map<std::string, double> after(verdict::Report report) {
    report_ = sample::share(std::move(report));
    return scrape(collectable_);
  }
  std::map<std::string, double> after(std::vector<TargetReport> targets) {
    return after(sample::report(std::move(targets)));
  }

  verdict::ReportPtr report_;
  ReportCollectable collectable_{[this] { return report_; }, {.per_app = 2, .keep_gone = hours(1)}};
};

bool any(const std::map<std::string, double>& series, const std::string& prefix) {
  const auto first = series.lower_bound(prefix);
  return first != series.end() && first->first.starts_with(prefix);
}

std::optional<double> value(const std::map<std::string, double>& series, const std::string& name) {
  const auto found = series.find(name);
  return found == series.end() ? std::nullopt : std::optional(found->second);
}

TEST_F(Metrics, NothingBeforeTheFirstReport) { EXPECT_TRUE(collectable_.Collect().empty()); }

TEST_F(Metrics, NothingAboutAProcessBeforeItsFirstSnapshot) {
  auto target = sample::target();
  target.snapshot_taken = false;
  target.mode = verdict::Mode::snapshots;
  target.checks_last_run.clear();
  auto series = after({target});
  EXPECT_EQ(value(series, "goleakd_build_info{version=\"0.1.0\"}"), 1);
  EXPECT_TRUE(any(series, "goleakd_target_info{app=\"shop\",pid=\"4711\""));
  for (const char* absent :
       {"goleakd_target_up", "goleakd_goroutines", "goleakd_system", "goleakd_blocked", "goleakd_site", "goleakd_leak",
        "goleakd_check", "goleakd_snapshot", "goleakd_probe", "goleakd_events_lost", "goleakd_ledger"}) {
    EXPECT_FALSE(any(series, absent)) << absent;
  }
  // That it failed is known, though.
  target.up = false;
  EXPECT_EQ(value(after({target}), "goleakd_target_up{app=\"shop\",pid=\"4711\"}"), 0);
}

TEST_F(Metrics, TellWhetherTheConfigurationIsTheNewest) {
  auto report = sample::report({});
  report.config.last_success = kNow - seconds(60);
  auto series = after(report);
  EXPECT_EQ(value(series, "goleakd_config_last_reload_successful"), 1);
  EXPECT_NEAR(value(series, "goleakd_config_last_reload_success_timestamp_seconds").value_or(0),
              report.wall.unix_seconds(kNow - seconds(60)), 0.001);
  report.config.last_reload_successful = false;
  EXPECT_EQ(value(after(report), "goleakd_config_last_reload_successful"), 0);
}

TEST_F(Metrics, MoreSitesWhenMoreAreAllowed) {
  auto target = sample::target();
  for (int i = 0; i < 5; ++i) target.sites.push_back(sample::site(std::string(1, static_cast<char>('a' + i)), 9 - i));
  EXPECT_EQ(value(after({target}), "goleakd_sites_not_shown{app=\"shop\"}"), 3);
  collectable_.limit_sites(4);
  EXPECT_EQ(value(after({target}), "goleakd_sites_not_shown{app=\"shop\"}"), 1);
  collectable_.limit_sites(1);
  EXPECT_EQ(value(after({target}), "goleakd_sites_not_shown{app=\"shop\"}"), 1) << "series do not go";
}

TEST_F(Metrics, NoLeaksMetricUntilAVerdictHasRun) {
  auto target = sample::target();
  target.checks_last_run.clear();
  EXPECT_FALSE(any(after({target}), "goleakd_leaks_detected_total"));
  EXPECT_EQ(value(after({sample::target()}), "goleakd_leaks_detected_total{app=\"shop\"}"), 0);
}

TEST_F(Metrics, ReplicasAddUp) {
  auto one = sample::target(1);
  one.blocked_by_age[ledger::WaitClass::select] = {1, 0, 0, 0, 2};
  one.sites = {sample::site("a", 3)};
  one.sites[0].oldest_blocked_since = kNow - seconds(10);
  auto two = sample::target(2);
  two.blocked_by_age[ledger::WaitClass::select] = {0, 0, 0, 0, 5};
  two.sites = {sample::site("a", 4)};
  two.sites[0].oldest_blocked_since = kNow - seconds(90);
  const auto report = sample::report({one, two, sample::target(3, "other")});
  const auto series = after(report);
  EXPECT_EQ(value(series, "goleakd_goroutines{app=\"shop\",state=\"waiting\"}"), 34);
  EXPECT_EQ(value(series, "goleakd_goroutines{app=\"other\",state=\"waiting\"}"), 17);
  EXPECT_EQ(value(series, "goleakd_system_goroutines{app=\"shop\"}"), 10);
  EXPECT_EQ(value(series, "goleakd_blocked_goroutines{app=\"shop\",wait_reason=\"select\",age=\"gt24h\"}"), 7);
  EXPECT_EQ(value(series, "goleakd_blocked_goroutines{app=\"shop\",wait_reason=\"select\",age=\"1h_24h\"}"), 0);
  EXPECT_EQ(value(series, "goleakd_site_goroutines{app=\"shop\",site_id=\"a\"}"), 7);
  EXPECT_EQ(value(series, "goleakd_site_bytes{app=\"shop\",site_id=\"a\"}"), 7 * 2048);
  EXPECT_NEAR(value(series, "goleakd_site_oldest_blocked_timestamp_seconds{app=\"shop\",site_id=\"a\"}").value_or(0),
              report.wall.unix_seconds(kNow - seconds(90)), 0.001);
  EXPECT_EQ(value(series,
                  "goleakd_site_info{app=\"shop\",site_id=\"a\",created_by=\"main.handleOrder\","
                  "location=\"/srv/shop/main.go:88\"}"),
            1);
  EXPECT_EQ(value(series, "goleakd_target_up{app=\"shop\",pid=\"2\"}"), 1);
}

TEST_F(Metrics, ALeakOfReplicasIsOneSeriesWithTheWordsOfTheWorst) {
  auto one = sample::target(1);
  one.leaks = {sample::leak()};
  auto two = sample::target(2);
  two.leaks = {sample::leak()};
  two.leaks[0].severity = verdict::Severity::page;
  two.leaks[0].first_seen = kNow - seconds(500);
  auto ended = sample::target(3);
  ended.leaks = {sample::leak()};
  ended.leaks[0].stage = Stage::resolved;
  ended.leaks[0].severity = verdict::Severity::page;
  ended.leaks[0].cause = verdict::Cause::sleeping;
  const auto report = sample::report({ended, one, two});
  const auto series = after(report);
  const std::string key = "{app=\"shop\",leak_id=\"8f0c1d2e3f405162\"}";
  EXPECT_EQ(value(series, "goleakd_leak_goroutines" + key), 824);
  EXPECT_EQ(value(series, "goleakd_leak_bytes" + key), 2 * 824 * 1024);
  EXPECT_NEAR(value(series, "goleakd_leak_first_seen_timestamp_seconds" + key).value_or(0),
              report.wall.unix_seconds(kNow - seconds(500)), 0.001);
  EXPECT_EQ(value(series,
                  "goleakd_leak_info{app=\"shop\",leak_id=\"8f0c1d2e3f405162\",site_id=\"a1a1a1a1a1a1a1a1\","
                  "created_by=\"main.handleOrder\",blocked_in=\"main.handleOrder.func1\","
                  "wait_reason=\"chan_send\",evidence=\"growing\",cause=\"send_unbuffered_no_receiver\","
                  "severity=\"page\"}"),
            1);
}

TEST_F(Metrics, SuspectsAreNotLeaksAndResolvedOnesStandAtZero) {
  auto target = sample::target();
  target.leaks = {sample::leak()};
  target.leaks[0].stage = Stage::suspect;
  EXPECT_FALSE(any(after({target}), "goleakd_leak_"));
  target.leaks[0].stage = Stage::leaking;
  EXPECT_EQ(value(after({target}), "goleakd_leak_goroutines{app=\"shop\",leak_id=\"8f0c1d2e3f405162\"}"), 412);
  target.leaks[0].stage = Stage::resolved;
  const auto series = after({target});
  EXPECT_EQ(value(series, "goleakd_leak_goroutines{app=\"shop\",leak_id=\"8f0c1d2e3f405162\"}"), 0);
  EXPECT_EQ(value(series, "goleakd_leak_bytes{app=\"shop\",leak_id=\"8f0c1d2e3f405162\"}"), 0);
  EXPECT_TRUE(any(series, "goleakd_leak_info"));
  target.leaks.clear();
  EXPECT_FALSE(any(after({target}), "goleakd_leak_"));
}

TEST_F(Metrics, LargestSitesFirstAndTheyStay) {
  const auto shown = [](const auto& series, const char* id) {
    return value(series, "goleakd_site_goroutines{app=\"shop\",site_id=\"" + std::string(id) + "\"}");
  };
  auto target = sample::target();
  target.sites = {sample::site("a", 30), sample::site("b", 20), sample::site("c", 10)};
  auto series = after({target});
  EXPECT_EQ(shown(series, "a"), 30);
  EXPECT_EQ(shown(series, "b"), 20);
  EXPECT_EQ(shown(series, "c"), std::nullopt);
  EXPECT_EQ(value(series, "goleakd_sites_not_shown{app=\"shop\"}"), 1);

  // Another ranking changes nothing, nor does a short absence.
  target.sites = {sample::site("c", 90), sample::site("a", 1)};
  series = after({target});
  EXPECT_EQ(shown(series, "a"), 1);
  EXPECT_EQ(shown(series, "b"), 0);
  EXPECT_EQ(shown(series, "c"), std::nullopt);

  // A long absence does.
  auto report = sample::report({target});
  report.at = kNow + hours(2);
  series = after(report);
  EXPECT_EQ(shown(series, "b"), std::nullopt);
  EXPECT_EQ(shown(series, "c"), 90);
  EXPECT_EQ(value(series, "goleakd_sites_not_shown{app=\"shop\"}"), 0);
}

TEST_F(Metrics, LeakingSitesAreShownBeyondTheLimit) {
  auto target = sample::target();
  target.sites = {sample::site("a", 30), sample::site("b", 20), sample::site("a1a1a1a1a1a1a1a1", 2)};
  after({target});
  target.leaks = {sample::leak()};
  const auto series = after({target});
  EXPECT_EQ(value(series, "goleakd_site_goroutines{app=\"shop\",site_id=\"a1a1a1a1a1a1a1a1\"}"), 2);
  EXPECT_EQ(value(series, "goleakd_site_goroutines{app=\"shop\",site_id=\"a\"}"), 30);
  EXPECT_EQ(value(series, "goleakd_sites_not_shown{app=\"shop\"}"), 0);
}

TEST_F(Metrics, SiteCountersOnlyWhereEveryReplicaIsExact) {
  const std::string spawned = "goleakd_site_spawned_total{app=\"shop\",site_id=\"a\"}";
  auto one = sample::target(1);
  one.sites = {sample::site("a", 3)};
  one.sites[0].spawned = 10;
  auto two = sample::target(2);
  two.sites = {sample::site("a", 4)};
  EXPECT_EQ(value(after({one, two}), spawned), std::nullopt);
  two.sites[0].spawned = 5;
  EXPECT_EQ(value(after({one, two}), spawned), 15);
  // Lost for a while, and exact again: the sum goes on where it stood.
  two.sites[0].spawned.reset();
  EXPECT_EQ(value(after({one, two}), spawned), std::nullopt);
  two.sites[0].spawned = 9;
  EXPECT_EQ(value(after({one, two}), spawned), 19);
  EXPECT_FALSE(any(after({one, two}), "goleakd_site_exited_total"));
}

TEST_F(Metrics, HistogramsOfParksAddUpAndGoWhereTheyAreNotExact) {
  ledger::FinishedParks parks;
  parks.by_log2_ns[9] = 1;   // below 1.024 us
  parks.by_log2_ns[10] = 2;  // from there on
  parks.by_log2_ns[50] = 4;  // 13 days
  parks.total_ns = 5'000'000'000;
  auto one = sample::target(1);
  one.sites = {sample::site("a", 3)};
  one.sites[0].finished_parks = parks;
  auto other = one;
  other.pid = 2;
  auto series = after({one, other});
  const std::string labels = "{app=\"shop\",site_id=\"a\"";
  EXPECT_EQ(value(series, "goleakd_site_blocked_seconds_bucket" + labels + ",le=\"1.024e-06\"}"), 2);
  EXPECT_EQ(series.lower_bound("goleakd_site_blocked_seconds_bucket" + labels + ",le=\"1099.5")->second, 6);
  EXPECT_EQ(value(series, "goleakd_site_blocked_seconds_bucket" + labels + ",le=\"+Inf\"}"), 14);
  EXPECT_EQ(value(series, "goleakd_site_blocked_seconds_count" + labels + "}"), 14);
  EXPECT_EQ(value(series, "goleakd_site_blocked_seconds_sum" + labels + "}"), 10);

  other.sites[0].finished_parks.reset();
  series = after({one, other});
  EXPECT_FALSE(any(series, "goleakd_site_blocked_seconds")) << "of one replica only";
}

TEST_F(Metrics, OverheadIsThatOfAllReplicas) {
  auto one = sample::target(1);
  auto other = sample::target(2);
  EXPECT_FALSE(any(after({one, other}), "goleakd_overhead"));
  one.overhead = {.used = 1, .measured = 0.004, .predicted = 0.01};
  other.overhead = {.used = 3, .measured = 0, .predicted = 0.03};
  auto series = after({one, other});
  EXPECT_DOUBLE_EQ(*value(series, "goleakd_overhead_measured_ratio{app=\"shop\"}"), 0.001);
  EXPECT_DOUBLE_EQ(*value(series, "goleakd_overhead_predicted_ratio{app=\"shop\"}"), 0.01);
  other.overhead->predicted.reset();
  series = after({one, other});
  EXPECT_FALSE(any(series, "goleakd_overhead_predicted_ratio")) << "it can't be told of one";
  EXPECT_TRUE(any(series, "goleakd_overhead_measured_ratio"));
}

TEST_F(Metrics, TheCostOfAHitOnceItIsMeasured) {
  auto report = sample::report({});
  EXPECT_FALSE(any(after(report), "goleakd_probe_hit_cost_seconds"));
  report.hit_cost = {.emulated_counted = 4e-7,
                     .emulated_recorded = 5e-7,
                     .emulated_parked = 4.5e-7,
                     .stepped_counted = 1e-5,
                     .stepped_recorded = 2e-5};
  const auto series = after(report);
  EXPECT_EQ(value(series, "goleakd_probe_hit_cost_seconds{instruction=\"emulated\",work=\"record\"}"), 5e-7);
  EXPECT_EQ(value(series, "goleakd_probe_hit_cost_seconds{instruction=\"stepped\",work=\"count\"}"), 1e-5);
}

TEST_F(Metrics, CountersOfSitesThatAreNotShownAnyMoreAreForgotten) {
  const std::string spawned = "goleakd_site_spawned_total{app=\"shop\",site_id=\"a\"}";
  auto one = sample::target(1);
  one.sites = {sample::site("a", 3)};
  one.sites[0].spawned = 10;
  after({one});
  EXPECT_EQ(value(after({sample::target(2)}), spawned), 10);  // gone a short while
  auto later = sample::report({sample::target(2)});
  later.at = kNow + hours(2);
  EXPECT_EQ(value(after(later), spawned), std::nullopt);
  one.pid = 3;
  one.sites[0].spawned = 4;
  later.targets.push_back(one);
  EXPECT_EQ(value(after(later), spawned), 4);
}

TEST_F(Metrics, CountersKeepWhatDepartedProcessesHadCounted) {
  auto one = sample::target(1);
  one.leaks_detected = 3;
  one.events_lost_ring = 100;
  one.snapshots_torn = 7;
  one.probes = {{"spawn", true, 1000}};
  one.totals.corrections = {50, 1, 0, 0};
  auto two = sample::target(2);
  two.leaks_detected = 1;
  two.events_lost_ring = 10;
  two.probes = {{"spawn", true, 10}};
  const auto check = [](const auto& series, double leaks, double lost, double hits) {
    EXPECT_EQ(value(series, "goleakd_leaks_detected_total{app=\"shop\"}"), leaks);
    EXPECT_EQ(value(series, "goleakd_events_lost_total{reason=\"ring_full\"}"), lost);
    EXPECT_EQ(value(series, "goleakd_probe_hits_total{app=\"shop\",probe=\"spawn\"}"), hits);
    EXPECT_EQ(value(series, "goleakd_snapshot_torn_total"), 7);
    EXPECT_EQ(value(series, "goleakd_events_lost_total{reason=\"unreadable\"}"), 0);
    EXPECT_EQ(value(series, "goleakd_ledger_corrections_total{reason=\"seeded\"}"), 50);
    EXPECT_EQ(value(series, "goleakd_ledger_corrections_total{reason=\"missed_spawn\"}"), 1);
  };
  check(after({one, two}), 4, 110, 1010);
  check(after({one, two}), 4, 110, 1010);  // looking does not count
  check(after({two}), 4, 110, 1010);

  // The last process goes: series of the app end, the host's stay, and the next process counts on.
  const auto empty = after(std::vector<TargetReport>{});
  EXPECT_FALSE(any(empty, "goleakd_leaks_detected_total"));
  EXPECT_EQ(value(empty, "goleakd_events_lost_total{reason=\"ring_full\"}"), 110);
  two.leaks_detected = 2;  // the same pid again, which is another process
  check(after({two}), 6, 120, 1020);

  // A counter that starts again, as after a new attach, counts on.
  two.probes[0].hits = 4;
  check(after({two}), 6, 120, 1024);
}

TEST_F(Metrics, AppsThatAreGoneForLongAreForgotten) {
  auto target = sample::target();
  target.leaks_detected = 3;
  after({target});
  auto later = sample::report({});
  later.at = kNow + hours(2);
  after(later);
  EXPECT_EQ(value(after({target}), "goleakd_leaks_detected_total{app=\"shop\"}"), 3);
}

TEST_F(Metrics, LossesOfEventsOnlyWhereThereWereEvents) {
  auto target = sample::target();
  target.mode = verdict::Mode::snapshots;
  target.probes = {{"spawn", false, 0}};
  auto report = sample::report({target});
  report.events_unavailable = "kernel too old";
  auto series = after(report);
  EXPECT_EQ(value(series, "goleakd_events_available"), 0);
  EXPECT_EQ(value(series, "goleakd_probe_attached{app=\"shop\",probe=\"spawn\"}"), 0);
  EXPECT_FALSE(any(series, "goleakd_events_lost_total"));
  EXPECT_FALSE(any(series, "goleakd_probe_hits_total"));
  EXPECT_FALSE(any(series, "goleakd_probe_budget_trips_total"));
  EXPECT_EQ(value(series, "goleakd_snapshot_torn_total"), 0);

  target.probes = {{"spawn", false, 9}};
  target.probe_budget_trips = 1;
  series = after({target});
  EXPECT_EQ(value(series, "goleakd_events_available"), 1);
  EXPECT_EQ(value(series, "goleakd_probe_hits_total{app=\"shop\",probe=\"spawn\"}"), 9);
  EXPECT_EQ(value(series, "goleakd_probe_budget_trips_total{app=\"shop\"}"), 1);
  EXPECT_EQ(value(series, "goleakd_events_lost_total{reason=\"ring_full\"}"), 0);
}

TEST_F(Metrics, HostSeries) {
  auto fresh = sample::target(1);
  auto slow = sample::target(2);
  slow.checks_last_run["growing"] = kNow - seconds(700);
  auto down = sample::target(3);
  down.up = false;
  down.checks_last_run["growing"] = kNow - seconds(9000);
  auto report = sample::report({fresh, slow, down});
  report.unsupported = {{9, "/opt/a", "too old", "unsupported"}, {10, "/opt/b", "too old", "unsupported"}};
  report.snapshot_seconds.observe(0.004);
  report.snapshot_seconds.observe(0.3);
  const auto series = after(report);
  EXPECT_NEAR(value(series, "goleakd_check_last_run_timestamp_seconds{check=\"growing\"}").value_or(0),
              report.wall.unix_seconds(kNow - seconds(700)), 0.001);
  EXPECT_NEAR(value(series, "goleakd_check_last_run_timestamp_seconds{check=\"snapshot\"}").value_or(0),
              report.wall.unix_seconds(kNow - seconds(2)), 0.001);
  EXPECT_EQ(value(series, "goleakd_targets_unsupported{reason=\"unsupported\"}"), 2);
  EXPECT_EQ(value(series, "goleakd_targets_unsupported{reason=\"permission\"}"), 0);
  EXPECT_EQ(value(series, "goleakd_snapshot_duration_seconds_bucket{le=\"0.005\"}"), 1);
  EXPECT_EQ(value(series, "goleakd_snapshot_duration_seconds_bucket{le=\"1\"}"), 2);
  EXPECT_EQ(value(series, "goleakd_snapshot_duration_seconds_count"), 2);
}

TEST_F(Metrics, SpecialCharactersInLabels) {
  auto target = sample::target(1, "a\"b\\c\nd");
  target.exe = "/opt/\xff(deleted)";
  auto twin = sample::target(2, "a\"b\\c\nd");
  const auto series = after({target, twin});
  EXPECT_EQ(value(series, "goleakd_system_goroutines{app=\"a\\\"b\\\\c\\nd\"}"), 10);
  EXPECT_TRUE(any(series, "goleakd_target_info{app=\"a\\\"b\\\\c\\nd\",pid=\"1\",exe=\"/opt/\xef\xbf\xbd(deleted)\""));
}

// Apps that differ only in bytes that no label can hold must not become two series of one name.
TEST_F(Metrics, AppsThatLookTheSameAreOne) {
  const auto series = after({sample::target(1, "x\xfe"), sample::target(2, "x\xff")});
  EXPECT_EQ(value(series, "goleakd_system_goroutines{app=\"x\xef\xbf\xbd\"}"), 10);
}

verdict::PanicSite panic_site(const std::string& kind, const std::string& function, std::uint64_t recovered) {
  verdict::PanicSite site;
  site.kind = kind;
  site.function = function;
  site.panics = recovered + 1;
  site.recovered = recovered;
  return site;
}

TEST_F(Metrics, RecoveredPanicsByTypeAndFunction) {
  auto one = sample::target(1);
  EXPECT_FALSE(any(after({one}), "goleakd_panic_sites_not_shown"));
  one.panics.attached = true;
  EXPECT_FALSE(any(after({one}), "goleakd_recovered_panics_total"));
  EXPECT_EQ(value(after({one}), "goleakd_panic_sites_not_shown{app=\"shop\"}"), 0);
  one.panics.sites = {panic_site("string", "main.serve", 2), panic_site("string", "main.serve", 3),
                      panic_site("", "", 1), panic_site("string", "main.fatal", 0)};
  auto two = sample::target(2);
  two.panics.sites = {panic_site("string", "main.serve", 4)};
  const auto series = after({one, two});
  const std::string name = "goleakd_recovered_panics_total{app=\"shop\",kind=";
  EXPECT_EQ(value(series, name + "\"string\",panicked_in=\"main.serve\"}"), 9);
  EXPECT_EQ(value(series, name + "\"unknown\",panicked_in=\"unknown\"}"), 1);
  EXPECT_FALSE(value(series, name + "\"string\",panicked_in=\"main.fatal\"}"));
}

TEST_F(Metrics, RecoveredPanicsHaveFewSeriesAndSayHowManyLackOne) {
  auto target = sample::target();
  target.panics.attached = true;
  for (int i = 0; i < 60; ++i) target.panics.sites.push_back(panic_site("string", "main.f" + std::to_string(i), 1));
  const auto series = after({target});
  EXPECT_EQ(std::count_if(series.begin(), series.end(),
                          [](const auto& one) { return one.first.starts_with("goleakd_recovered_panics_total"); }),
            50);
  EXPECT_EQ(value(series, "goleakd_panic_sites_not_shown{app=\"shop\"}"), 10);
}

TEST_F(Metrics, IncidentsOfAppsThatHaveEndedToo) {
  verdict::Report report = sample::report({sample::target()});
  report.incident_totals = {{"shop", {{verdict::Death::fatal, 0}}}, {"till", {{verdict::Death::panic, 2}}}};
  const auto series = after(report);
  EXPECT_EQ(value(series, "goleakd_incidents_total{app=\"shop\",kind=\"fatal\"}"), 0);
  EXPECT_EQ(value(series, "goleakd_incidents_total{app=\"till\",kind=\"panic\"}"), 2);
}

TEST_F(Metrics, ManyThreadsMayScrape) {
  auto target = sample::target();
  target.leaks_detected = 3;
  target.sites = {sample::site("a", 3)};
  report_ = sample::share(sample::report({target}));
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      for (int n = 0; n < 50; ++n) {
        EXPECT_EQ(value(scrape(collectable_), "goleakd_leaks_detected_total{app=\"shop\"}"), 3);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(LabelValue, KeepsUtf8AndReplacesTheRest) {
  const std::string good = "a\xc3\xbc\xe2\x82\xac\xf0\x9f\x90\xb9";
  EXPECT_EQ(label_value(good), good);
  const std::string bad = "\xef\xbf\xbd";
  EXPECT_EQ(label_value("\x80"), bad);                                       // continuation alone
  EXPECT_EQ(label_value("\xc0\xaf"), bad + bad);                             // overlong
  EXPECT_EQ(label_value("\xed\xa0\x80"), bad + bad + bad);                   // surrogate
  EXPECT_EQ(label_value("\xf4\x90\x80\x80x"), bad + bad + bad + bad + "x");  // beyond U+10FFFF
  EXPECT_EQ(label_value("a\xe2\x82"), "a" + bad + bad);                      // cut short
}

TEST(Process, MetricsOfThisProcess) {
  const auto series = scrape(ProcessCollectable());
  EXPECT_GT(value(series, "process_resident_memory_bytes").value_or(0), 1 << 20);
  EXPECT_GE(value(series, "process_open_fds").value_or(0), 3);
  EXPECT_GE(value(series, "process_cpu_seconds_total").value_or(-1), 0);
  const auto now = static_cast<double>(std::time(nullptr));
  EXPECT_NEAR(value(series, "process_start_time_seconds").value_or(0), now, 3600);
}

TEST(Process, ReadsTheRightFieldsAndLeavesOutWhatItCannot) {
  const std::filesystem::path proc = testing::TempDir() + "goleakd-proc-" + std::to_string(getpid());
  std::filesystem::create_directories(proc / "self");
  std::ofstream(proc / "self/stat") << "7 (a) b) S 1 7 7 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 5 0 1000 0 0\n";
  std::ofstream(proc / "stat") << "cpu 1 2 3\nbtime 1700000000\nprocesses 5\n";
  const auto series = scrape(ProcessCollectable(proc));
  const auto hz = static_cast<double>(sysconf(_SC_CLK_TCK));
  EXPECT_EQ(value(series, "process_cpu_seconds_total"), 200 / hz);
  EXPECT_EQ(value(series, "process_start_time_seconds"), 1700000000 + 1000 / hz);
  EXPECT_EQ(series.size(), 2);
  std::filesystem::remove_all(proc);
}

TEST(HistoryMetrics, NoneWhereNoneIsKeptAndNoneBeforeTheFirstWrite) {
  verdict::Report report = sample::report({});
  const auto series = [&] { return scrape(ReportCollectable([&] { return sample::share(report); })); };
  EXPECT_EQ(series().at("goleakd_history_enabled"), 0);
  EXPECT_FALSE(series().contains("goleakd_history_up"));
  report.history.enabled = true;
  EXPECT_EQ(series().at("goleakd_history_enabled"), 1);
  EXPECT_FALSE(series().contains("goleakd_history_up"));
  report.history.up = false;
  report.history.kind = "permission";
  report.history.failed_writes = 3;
  EXPECT_EQ(series().at("goleakd_history_up"), 0);
  EXPECT_EQ(series().at("goleakd_history_unavailable{reason=\"permission\"}"), 1);
  EXPECT_EQ(series().at("goleakd_history_failed_writes_total"), 3);
  report.history.up = true;
  report.history.kind.clear();
  report.history.bytes = 4096;
  EXPECT_EQ(series().at("goleakd_history_up"), 1);
  EXPECT_EQ(series().at("goleakd_history_bytes"), 4096);
  EXPECT_FALSE(series().contains("goleakd_history_unavailable{reason=\"permission\"}"));
  report.history.slow_leaks = {{"shop", 2}};
  EXPECT_EQ(series().at("goleakd_history_slow_leaks{app=\"shop\"}"), 2);
}

TEST(HistoryMetrics, ALeaksFirstTimeIsThatOfHistory) {
  TargetReport target = sample::target();
  target.leaks = {sample::leak()};
  verdict::Report report = sample::report({target});
  const auto long_ago = static_cast<std::int64_t>(report.wall.unix_seconds(kNow)) - 500'000;
  auto known = std::make_shared<verdict::FirstSeen>();
  (*known)[sample::leak().id] = long_ago;
  report.history.first_seen = known;
  const auto series = scrape(ReportCollectable([&] { return sample::share(report); }));
  EXPECT_EQ(series.at("goleakd_leak_first_seen_timestamp_seconds{app=\"shop\",leak_id=\"8f0c1d2e3f405162\"}"),
            static_cast<double>(long_ago));
}

}  // namespace
}  // namespace goleakd::prometheus
