// SPDX-License-Identifier: Apache-2.0
#include "text/history_text.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <string>

#include "sample_report.h"
#include "text/history_json.h"
#include "text/leaks_json.h"
#include "text/leaks_text.h"

namespace goleakd::text {
namespace {

using history::LifeCycle;
using history::LifeStage;
using history::Seconds;
using history::Version;

constexpr Seconds kDay = 86'400;
constexpr Seconds kAt = 1'795'608'000;  // 2026-11-25 12:00:00 UTC

Version version(std::string name, Seconds first_seen, Seconds watched) {
  return {.build_id = "0123456789abcdef",
          .go_version = "go1.27",
          .module = "example.com/shop",
          .module_version = std::move(name),
          .first_seen = first_seen,
          .last_seen = kAt,
          .watched = watched};
}

LifeCycle life_cycle() {
  const verdict::Leak leak = sample::leak();
  LifeCycle life;
  life.id = leak.id;
  life.site_id = leak.site_id;
  life.service = "shop";
  life.creation = leak.creation;
  life.function = leak.blocked.function;
  life.file = leak.blocked.file;
  life.line = leak.blocked.line;
  life.wait = "chan_send";
  life.reason = leak.blocked.reason;
  life.severity = "ticket";
  life.evidence = "growing";
  life.cause = "send_unbuffered_no_receiver";
  life.reasoning = leak.reasoning;
  life.count = 412;
  life.peak = 1300;
  life.bytes = leak.bytes;
  life.first_seen = kAt - 3 * kDay;
  life.last_seen = kAt - 20;
  life.processes = 4;
  life.versions = {version("v1.2.0", kAt - 4 * kDay, 2 * kDay), version("v1.3.0", kAt - kDay, kDay)};
  life.before = version("v1.1.0", kAt - 20 * kDay, 16 * kDay);
  life.changes = {{kAt - 3 * kDay, LifeStage::leaking, "ticket", "growing", "send_unbuffered_no_receiver", 5},
                  {kAt - kDay, LifeStage::gone, "ticket", "growing", "send_unbuffered_no_receiver", 0}};
  for (int i = 0; i < 8; ++i) life.counts.push_back({kAt - 4 * kDay + Seconds{i} * 43'200, 43'200, i * 100.0, 700});
  return life;
}

history::View view() {
  return {.path = "/var/lib/goleakd/history.db",
          .written = kAt - 20,
          .leaks = {life_cycle()},
          .slow_leaks = {},
          .lost = {}};
}

class HistoryText : public ::testing::Test {
 protected:
  HistoryText() {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }
};

TEST_F(HistoryText, ShowsALifeCycleWhole) {
  EXPECT_EQ(
      history_text(view(), kAt, false),
      "LEAK  8f0c1d2e3f405162  [ticket, still there]  shop\n"
      "  412 goroutines, 824 KiB of stacks; at worst 1300 goroutines\n"
      "  first seen 2026-11-22 12:00:00, 3d ago; last 2026-11-25 11:59:40, 20s ago\n"
      "  since      version v1.2.0 (go1.27); not seen in v1.1.0 (go1.27), which was watched for 16d; also in 1 later\n"
      "             version, the newest v1.3.0 (go1.27); in 4 processes\n"
      "  started    main.handleOrder  /srv/shop/main.go:88\n"
      "  stuck in   main.handleOrder.func1  /srv/shop/main.go:91  [chan send]\n"
      "  cause      It sends on an unbuffered channel, and nobody receives: the receiver has returned, most often on\n"
      "             an error or a timeout.\n"
      "  evidence   growing: rose in 10 of 10 intervals over 5m, from 12 to 412\n"
      "  fix        Give the channel room for the one result, or stop sending when the receiver is gone:\n"
      "             ch := make(chan T, 1)\n"
      "             select { case ch <- v: case <-ctx.Done(): return }\n"
      "  count      ▁▂▃▄▅▆▇█\n"
      "             all goroutines started there: up to 700, from 2026-11-21 12:00:00 on, over 4d\n"
      "  changes    2026-11-22 12:00:00  leaking  5 goroutines  growing, send_unbuffered_no_receiver, ticket\n"
      "             2026-11-24 12:00:00  gone\n"
      "\n"
      "/var/lib/goleakd/history.db: last written 20s ago\n");
}

TEST_F(HistoryText, WhatHasEndedSaysHow) {
  history::View ended = view();
  ended.leaks[0].stage = LifeStage::gone;
  EXPECT_TRUE(
      history_text(ended, kAt, false)
          .starts_with("GONE  8f0c1d2e3f405162  [ticket, its processes have ended or are not watched any more]  shop\n"
                       "  at worst 1300 goroutines\n"));
  ended.leaks[0].stage = LifeStage::resolved;
  EXPECT_TRUE(history_text(ended, kAt, true).starts_with("\x1b[32mRESOLVED\x1b[0m  "));
}

TEST_F(HistoryText, WithoutAnOlderVersionNothingIsClaimedOfOne) {
  history::View first = view();
  first.leaks[0].before.reset();
  first.leaks[0].versions.resize(1);
  first.leaks[0].versions[0].module_version = "(devel)";
  first.leaks[0].processes = 1;
  EXPECT_NE(
      history_text(first, kAt, false)
          .find(
              "  since      version build 0123456789ab (go1.27) at least, the first that was watched; in 1 process\n"),
      std::string::npos);
}

TEST_F(HistoryText, SlowLeaksAndLossesAreTold) {
  history::View slow = view();
  slow.leaks.clear();
  slow.slow_leaks = {{.service = "shop",
                      .site_id = "a1",
                      .creation = sample::creation(),
                      .trend = {.runs = 7, .rising = 6, .per_hour = 2.04, .start = 10, .rise = 48},
                      .leaks = {}}};
  slow.lost = {{"samples", 5000}};
  EXPECT_EQ(
      history_text(slow, kAt, false),
      "SLOW LEAK  [info, restarts hide it]  shop\n"
      "  started    main.handleOrder  /srv/shop/main.go:88\n"
      "  evidence   in 6 of the last 7 processes it rises with uptime, +2/h, each time from about 10, by 48 until\n"
      "             the end\n"
      "\n"
      "/var/lib/goleakd/history.db: last written 20s ago; 5000 samples deleted to keep its size\n");
}

TEST_F(HistoryText, IsNeverEmpty) {
  history::View empty = view();
  empty.leaks.clear();
  empty.written.reset();
  EXPECT_EQ(history_text(empty, kAt, false),
            "no leaks in history\n/var/lib/goleakd/history.db: no process was watched for long enough yet\n");
}

TEST_F(HistoryText, NamesOfOthersCannotForgeOutput) {
  history::View forged = view();
  forged.leaks[0].service = forged.leaks[0].function = forged.leaks[0].reasoning = "a\nLEAK\x1b[31m";
  const std::string text = history_text(forged, kAt, false);
  EXPECT_EQ(text.find("\nLEAK"), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(Plot, LeavesRoomWhereNobodyLooked) {
  EXPECT_EQ(plot({}), "");
  EXPECT_EQ(plot({{0, 10, 0, 0}, {10, 10, 0, 0}}), "▁▁") << "zero is not nothing";
  EXPECT_EQ(plot({{0, 10, 7, 7}, {40, 10, 14, 14}}), "▅   █");
}

TEST(HistoryJson, HasWhatTheTextHas) {
  history::View both = view();
  both.slow_leaks = {{.service = "shop",
                      .site_id = "a1",
                      .creation = sample::creation(),
                      .trend = {.runs = 7, .rising = 6, .per_hour = 2, .start = 10, .rise = 48},
                      .leaks = {"8f0c1d2e3f405162"}}};
  const nlohmann::json j = history_json(both, kAt, "0.1.0");
  EXPECT_EQ(j["version"], "0.1.0");
  EXPECT_EQ(j["at"], kAt);
  EXPECT_EQ(j["written"], kAt - 20);
  const nlohmann::json& leak = j["leaks"][0];
  EXPECT_EQ(leak["there"], true);
  EXPECT_EQ(leak["first_seen"], kAt - 3 * kDay);
  EXPECT_EQ(leak["since"]["name"], "v1.2.0");
  EXPECT_EQ(leak["before"]["watched_seconds"], 16 * kDay);
  EXPECT_EQ(leak["versions"].size(), 2);
  EXPECT_EQ(leak["changes"][1]["stage"], "gone");
  EXPECT_EQ(leak["counts"].size(), 8);
  EXPECT_EQ(leak["advice"], verdict::advise(verdict::Cause::send_unbuffered_no_receiver));
  EXPECT_EQ(leak["ignored"], nullptr);
  EXPECT_EQ(j["slow_leaks"][0]["growth_per_hour"], 2);
  EXPECT_EQ(j["slow_leaks"][0]["leaks"][0], "8f0c1d2e3f405162");
}

// Of a leak that the report holds.
TEST(LeaksOfReport, SayThatTheyAreOlderThanTheDaemon) {
  auto target = sample::target();
  target.leaks = {sample::leak()};
  verdict::Report report = sample::report({target});
  const auto now = static_cast<std::int64_t>(report.wall.unix_seconds(report.at));
  EXPECT_EQ(leaks_json(report, {})["targets"][0]["leaks"][0]["first_seen_ever"], nullptr);
  EXPECT_EQ(leaks_text(report, {}).find("  known"), std::string::npos);
  auto known = std::make_shared<verdict::FirstSeen>();
  (*known)[sample::leak().id] = now - 3 * kDay;
  report.history.first_seen = known;
  EXPECT_EQ(leaks_json(report, {})["targets"][0]["leaks"][0]["first_seen_ever"], now - 3 * kDay);
  EXPECT_NE(leaks_text(report, {}).find("\n  known      for 3d, longer than this process"), std::string::npos)
      << leaks_text(report, {});
  (*known)[sample::leak().id] = now - 140;
  EXPECT_EQ(leaks_text(report, {}).find("  known"), std::string::npos) << "ten seconds before its finding";
}

}  // namespace
}  // namespace goleakd::text
