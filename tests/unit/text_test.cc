// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "sample_report.h"
#include "text/dump_json.h"
#include "text/dump_text.h"
#include "text/json.h"
#include "text/layout.h"
#include "text/leaks_json.h"
#include "text/leaks_text.h"
#include "text/list.h"
#include "text/report_json.h"

namespace goleakd::text {
namespace {

using ledger::GoroutineDump;
using ledger::ProcessDump;
using sample::kNow;
using sample::seconds;
using verdict::Stage;

TEST(Layout, ControlCharactersBecomeQuestionMarks) {
  EXPECT_EQ(printable("a\x1b[2Jb\nc\td\x7f"), "a?[2Jb?c?d?");
  EXPECT_EQ(printable("C1: \xc2\x9b, text: \xc2\xa7 \xe2\x82\xac"), "C1: ?, text: \xc2\xa7 \xe2\x82\xac");
}

TEST(Layout, BytesHaveTheUnitThatFits) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(2048), "2.0 KiB");
  EXPECT_EQ(format_bytes(std::uint64_t{824} * 1024), "824 KiB");
  EXPECT_EQ(format_bytes(std::uint64_t{5} << 40U), "5.0 TiB");
}

TEST(Layout, EmphasisOnlyWhereItIsWanted) {
  EXPECT_EQ(emphasis("a", Emphasis::heading, true), "\x1b[1ma\x1b[0m");
  EXPECT_EQ(emphasis("a", Emphasis::aside, false), "a");
}

TEST(Layout, ProgressFitsItsWidth) {
  EXPECT_EQ(progress_line("reading", 3, 6, 26), "reading [#####-----]  50 %");
  EXPECT_EQ(progress_line("reading", 9, 6, 14), "reading 100 %");
  EXPECT_EQ(progress_line("reading", 0, 0, 14), "reading   0 %");
}

TEST(Layout, WrapsAtWordsAndKeepsLineEnds) {
  EXPECT_EQ(wrap("one two three", 7), (std::vector<std::string>{"one two", "three"}));
  EXPECT_EQ(wrap("one\ntwo three", 20), (std::vector<std::string>{"one", "two three"}));
  EXPECT_EQ(wrap("incomprehensible it is", 5), (std::vector<std::string>{"incomprehensible", "it is"}));
}

TEST(Layout, ColumnsAlignWithoutTrailingSpaces) {
  EXPECT_EQ(align({{"a", "b"}, {"long", "b", "c"}, {"\xc3\xbc", ""}}),
            (std::vector<std::string>{"a     b", "long  b  c", "\xc3\xbc"}));
}

std::string leaks(const verdict::Report& report, const LeaksQuery& query = {}) { return leaks_text(report, query); }

// The lines of one paragraph of a leak, whose words are the verdict room's.
std::string paragraph(std::string label, std::string_view words) {
  std::string lines;
  label.resize(13, ' ');
  for (const std::string& line : wrap(words, 96)) {
    lines += label + line + "\n";
    label.assign(13, ' ');
  }
  return lines;
}

TEST(LeaksText, ShowsALeakWhole) {
  auto target = sample::target();
  target.leaks = {sample::leak()};
  const auto cause = verdict::Cause::send_unbuffered_no_receiver;
  EXPECT_EQ(leaks(sample::report({target})),
            "LEAK  8f0c1d2e3f405162  [ticket, leaking for 2m10s]  shop (pid 4711)\n"
            "  412 goroutines, 824 KiB of stacks, +2950/h; longest stuck 3m2s\n"
            "  started    main.handleOrder        /srv/shop/main.go:88  (go main.handleOrder.func1)\n"
            "  stuck in   main.handleOrder.func1  /srv/shop/main.go:91  [chan send]\n" +
                paragraph("  cause", verdict::explain(cause)) +
                "  evidence   growing: rose in 10 of 10 intervals over 5m, from 12 to 412\n" +
                paragraph("  fix", verdict::advise(cause)) +
                "  stack      main.handleOrder.func1  /srv/shop/main.go:91\n"
                "             main.run                /srv/shop/run.go:7\n"
                "  goroutines 18, 21, 35, …\n");
}

TEST(LeaksText, SaysWhatALeakCostsAndWhenTheMemoryIsFull) {
  auto target = sample::target();
  target.leaks = {sample::leak()};
  target.facts.resident_bytes = std::uint64_t{100} << 20U;
  target.facts.memory_limit_bytes = std::uint64_t{512} << 20U;
  // 412 MiB are left, and 2950.4 goroutines of 2 KiB come an hour: 71.5 hours.
  const std::string text = leaks(sample::report({target}));
  EXPECT_NE(text.find("  412 goroutines, 824 KiB of stacks, +2950/h; longest stuck 3m2s\n"
                      "  memory     the stacks are 0.8 % of what is resident; alone they fill the 512 MiB there are in "
                      "2d23h\n"),
            std::string::npos)
      << text;
  const nlohmann::json j = leaks_json(sample::report({target}))["targets"][0];
  EXPECT_NEAR(j["leaks"][0]["memory_full_in_seconds"], 71.5 * 3600, 360);
  EXPECT_NEAR(j["leaks"][0]["share_of_resident"], 0.00805, 0.00001);
  EXPECT_EQ(j["memory_limit_bytes"], std::uint64_t{512} << 20U);

  target.leaks[0].growth_per_hour = 0.1;  // in more than a year
  EXPECT_EQ(leaks(sample::report({target})).find("they fill"), std::string::npos);
}

TEST(LeaksText, ThoseWhoWakeAreNotStuck) {
  auto target = sample::target();
  target.leaks = {sample::leak()};
  target.leaks[0].evidence = verdict::Evidence::accumulating;
  const std::string text = leaks(sample::report({target}));
  EXPECT_EQ(text.find("stuck"), std::string::npos) << text;
  EXPECT_NE(text.find("  seen in    main.handleOrder.func1"), std::string::npos) << text;
  const nlohmann::json leak = leaks_json(sample::report({target}))["targets"][0]["leaks"][0];
  EXPECT_EQ(leak["evidence"], "accumulating");
  EXPECT_TRUE(leak["blocked_at_least_since"].is_null());
}

TEST(LeaksText, WhatIsIgnoredIsALineWithItsReason) {
  auto target = sample::target();
  target.leaks = {sample::leak()};
  target.leaks[0].ignored = "flushes for life";
  const std::string text = leaks(sample::report({target}));
  EXPECT_TRUE(text.starts_with("no leaks in shop (pid 4711): ")) << text;
  EXPECT_NE(text.find("\nignored: 8f0c1d2e3f405162, 412 goroutines of main.handleOrder in shop (pid 4711): flushes for "
                      "life\n"),
            std::string::npos)
      << text;
  EXPECT_EQ(leaks_json(sample::report({target}))["targets"][0]["leaks"][0]["ignored"], "flushes for life");
  target.leaks[0].ignored.clear();
  target.leaks[0].outgrown = "more than the 400 that are accepted: known";
  EXPECT_NE(
      leaks_text(sample::report({target}), {}).find("\n  accepted   more than the 400 that are accepted: known\n"),
      std::string::npos);
  EXPECT_EQ(leaks_json(sample::report({target}))["targets"][0]["leaks"][0]["outgrown"],
            "more than the 400 that are accepted: known");
}

TEST(LeaksText, ShowsTheWaysToTheGoStatement) {
  auto target = sample::target();
  target.leaks = {sample::leak()};
  const ledger::Frame statement{"main.handleOrder", "/srv/shop/main.go", 88};
  target.spawned_from[target.leaks[0].site_id] = {
      {.frames = {statement, {"main.serve", "/srv/shop/main.go", 30}, {"main.main", "/srv/shop/main.go", 12}},
       .operation = {},
       .times = 3,
       .last = {}},
      {.frames = {statement, {"main.retry", "/srv/shop/retry.go", 9}}, .operation = {}, .times = 1, .last = {}},
      {.frames = {statement}, .operation = {}, .times = 1, .last = {}}};
  EXPECT_NE(leaks(sample::report({target}))
                .find("[chan send]\n"
                      "  called by  main.serve  /srv/shop/main.go:30\n"
                      "             main.main   /srv/shop/main.go:12\n"
                      "  or by      main.retry  /srv/shop/retry.go:9\n"),
            std::string::npos)
      << leaks(sample::report({target}));
  const nlohmann::json ways = leaks_json(sample::report({target}), {})["targets"][0]["leaks"][0]["spawned_from"];
  ASSERT_EQ(ways.size(), 3U);
  EXPECT_EQ(ways[0]["times"], 3);
  EXPECT_EQ(ways[0]["stack"][0]["line"], 88);
  EXPECT_EQ(ways[1]["stack"][1]["function"], "main.retry");
}

TEST(LeaksText, ShowsWhatTheyWaitOn) {
  auto target = sample::target();
  target.leaks = {sample::leak()};
  const auto channel = [](std::uint64_t address, std::uint64_t capacity) {
    return ledger::ObjectDump{
        .kind = "channel",
        .address = address,
        .attributes = {{"element", std::string("int")}, {"capacity", capacity}, {"closed", false}},
        .cases = {}};
  };
  auto& seen = target.waits_on[target.leaks[0].id];
  seen = {{.object = channel(0xc000012345, 0), .goroutines = {18, 35}, .at = kNow - seconds(3)},
          {.object = {.kind = "select",
                      .address = 0,
                      .attributes = {{"visible_cases", std::uint64_t{2}}},
                      .cases = {channel(0xc000000100, 1), channel(0xc000000200, 2)}},
           .goroutines = {21},
           .at = kNow - seconds(3)}};
  const auto report = sample::report({target});
  EXPECT_NE(leaks(report).find("[chan send]\n"
                               "  waits on   channel 0xc000012345, element int, capacity 0, closed no\n"
                               "  or on      select, visible_cases 2\n"
                               "             case channel 0xc000000100, element int, capacity 1, closed no\n"
                               "             case channel 0xc000000200, element int, capacity 2, closed no\n"
                               "  cause "),
            std::string::npos)
      << leaks(report);
  const nlohmann::json json = leaks_json(report, {})["targets"][0]["leaks"][0]["waits_on"];
  ASSERT_EQ(json.size(), 2U);
  EXPECT_EQ(json[0]["address"], "0xc000012345");
  EXPECT_EQ(json[0]["goroutines"], nlohmann::json({18, 35}));
  EXPECT_EQ(json[0]["seen_at"], report.wall.unix_seconds(kNow - seconds(3)));
  EXPECT_EQ(json[1]["cases"][1]["capacity"], 2);

  // No more than anybody reads.
  seen[1].object.cases.assign(16, channel(0xc000000100, 1));
  for (std::uint64_t i = 0; i < 2; ++i) {
    seen.push_back({.object = channel(0xc000088000 + i, 0), .goroutines = {i}, .at = {}});
    seen.push_back({.object = channel(0xc000099000 + i, 5 + i), .goroutines = {i}, .at = {}});
  }
  const std::string text = leaks(sample::report({target}));
  EXPECT_NE(text.find("capacity 0, closed no; 2 more like it\n"), std::string::npos) << text;
  EXPECT_NE(text.find("             and 8 more\n"), std::string::npos) << text;
  EXPECT_EQ(text.find("0xc000088000"), std::string::npos);
  EXPECT_NE(text.find("0xc000099000"), std::string::npos);
  EXPECT_EQ(text.find("0xc000099001"), std::string::npos);
}

TEST(LeaksText, ShowsWhoWakesOthers) {
  auto target = sample::target();
  target.leaks = {sample::leak()};
  auto report = sample::report({target});
  EXPECT_EQ(leaks(report).find("woken by"), std::string::npos) << "nobody has looked";
  report.targets[0].wakes_watched = std::chrono::seconds(61);
  EXPECT_NE(leaks(report).find("  woken by   nobody, while it was looked for that for 1m1s\n"), std::string::npos)
      << leaks(report);
  report.targets[0].woken_by[target.leaks[0].id] = {
      {.frames = {{"main.consume", "/srv/shop/main.go", 51}, {"main.main", "/srv/shop/main.go", 12}},
       .operation = "receive",
       .times = 4,
       .last = report.at - std::chrono::minutes(12)},
      {.frames = {}, .operation = "timer", .times = 1, .last = report.at - std::chrono::seconds(3)}};
  EXPECT_NE(leaks(report).find("  woken by   receive, 4 seen, the last 12m ago\n"
                               "             main.consume  /srv/shop/main.go:51\n"
                               "             main.main     /srv/shop/main.go:12\n"
                               "  or by      timer, 1 seen, the last 3s ago, by the runtime itself\n"),
            std::string::npos)
      << leaks(report);
  const nlohmann::json by = leaks_json(report, {})["targets"][0]["leaks"][0]["woken_by"];
  ASSERT_EQ(by.size(), 2U);
  EXPECT_EQ(by[0]["operation"], "receive");
  EXPECT_EQ(by[0]["times"], 4);
  EXPECT_EQ(by[0]["stack"][0]["function"], "main.consume");
  EXPECT_EQ(leaks_json(report, {})["targets"][0]["wakes_watched_seconds"], 61);
}

TEST(LeaksText, WorstFirstAndStagesMarked) {
  auto first = sample::target(1, "first");
  first.leaks = {sample::leak(), sample::leak(), sample::leak()};
  first.leaks[0].stage = Stage::resolved;
  first.leaks[0].count = 1;
  first.leaks[1].stage = Stage::suspect;
  first.leaks[2].count = 1000;
  auto second = sample::target(2, "second");
  second.leaks = {sample::leak()};
  second.leaks[0].severity = verdict::Severity::page;
  const std::string text = leaks(sample::report({first, second}));
  const auto at = [&](const char* what) { return text.find(what); };
  ASSERT_NE(at("first seen 2m10s ago]  first (pid 1)\n  1 goroutine, 824 KiB of stacks; at worst 412\n"),
            std::string::npos);
  EXPECT_LT(at("LEAK  8f0c1d2e3f405162  [page, leaking for 2m10s]  second"), at("LEAK  8f0c1d2e3f405162  [ticket"));
  EXPECT_LT(at("LEAK  8f0c1d2e3f405162  [ticket"), at("SUSPECT  8f0c1d2e3f405162  [ticket, suspected for 2m10s]"));
  EXPECT_LT(at("SUSPECT"), at("RESOLVED"));
}

TEST(LeaksText, EvidenceNamesChannelsAndOrphans) {
  auto target = sample::target();
  target.leaks = {sample::leak()};
  target.leaks[0].reasoning = "rose";
  target.leaks[0].channels = 1;
  target.leaks[0].orphans = 400;
  EXPECT_NE(leaks(sample::report({target}))
                .find("growing: rose; 1 channel waited on there; 400 outlived the goroutine that started them\n"),
            std::string::npos);
  target.leaks[0].channels = 0;
  target.leaks[0].left_behind = 30;
  EXPECT_NE(leaks(sample::report({target})).find("rose; 400 outlived the goroutine that started them, 30 of them"),
            std::string::npos);
}

TEST(LeaksText, SaysWhenTheAgeIsALowerBound) {
  auto target = sample::target();
  target.leaks = {sample::leak()};
  target.leaks[0].blocked_at_most_since = Instant::min();
  EXPECT_NE(leaks(sample::report({target})).find("longest stuck 3m2s or more\n"), std::string::npos);
}

TEST(LeaksText, NothingFoundIsSaidWithWhatWasLookedAt) {
  EXPECT_EQ(leaks(sample::report({sample::target()})),
            "no leaks in shop (pid 4711): 23 goroutines 2s ago, seen by events and snapshots, checked 12s ago\n");
  auto target = sample::target();
  target.mode = verdict::Mode::snapshots;
  target.mode_reason = "over budget";
  EXPECT_EQ(
      leaks(sample::report({target})),
      "no leaks in shop (pid 4711): 23 goroutines 2s ago, seen by snapshots only (over budget), checked 12s ago\n");
}

TEST(LeaksText, NotLookedAtNeverReadsAsNoLeaks) {
  auto unjudged = sample::target(1, "new");
  unjudged.checks_last_run.clear();
  auto unseen = sample::target(2, "newer");
  unseen.snapshot_taken = false;
  auto down = sample::target(3, "down");
  down.up = false;
  down.last_error = "Permission denied";
  down.leaks = {sample::leak()};
  down.leaks[0].stage = Stage::suspect;
  auto report = sample::report({unjudged, unseen, down});
  report.unsupported = {{99, "/opt/old", "Go 1.15 is too old", "unsupported"}};
  EXPECT_EQ(leaks(report, {.suspects = false}),
            "not judged yet: new (pid 1): 23 goroutines 2s ago, seen by events and snapshots\n"
            "not looked at yet: newer (pid 2)\n"
            "cannot be read: down (pid 3): Permission denied; last seen 2s ago\n"
            "not supported: /opt/old (pid 99): Go 1.15 is too old\n");
  EXPECT_EQ(leaks(report, {.pid = 99}), "not supported: /opt/old (pid 99): Go 1.15 is too old\n");
}

TEST(LeaksText, SuspectsLeftOutAreCounted) {
  auto target = sample::target();
  target.leaks = {sample::leak()};
  target.leaks[0].stage = Stage::suspect;
  EXPECT_EQ(leaks(sample::report({target}), {.suspects = false}),
            "no leaks in shop (pid 4711): 23 goroutines 2s ago, seen by events and snapshots, checked 12s ago; "
            "1 suspect not shown\n");
}

TEST(LeaksText, NeverEmpty) {
  EXPECT_EQ(leaks(sample::report({})), "no Go processes found\n");
  EXPECT_EQ(leaks(sample::report({sample::target()}), {.pid = 5}), "pid 5 is not a Go process that goleakd watches\n");
}

TEST(LeaksText, ColorsAndLongStacksOnRequest) {
  auto target = sample::target();
  target.leaks = {sample::leak()};
  const auto report = sample::report({target});
  EXPECT_EQ(leaks(report).find('\x1b'), std::string::npos);
  const std::string text = leaks(report, {.color = true, .stack_frames = 1});
  EXPECT_TRUE(text.starts_with("\x1b[1;31mLEAK\x1b[0m  8f0c"));
  EXPECT_NE(text.find("/srv/shop/main.go:91\n             and 1 more\n"), std::string::npos);
}

TEST(LeaksText, NamesOfOthersCannotForgeOutput) {
  auto target = sample::target(1, "evil\nno leaks in \x1b[31mshop");
  target.leaks = {sample::leak()};
  target.leaks[0].creation.function = "main.\x1b]0;pwned\x07";
  const std::string text = leaks(sample::report({target}));
  EXPECT_EQ(text.find_first_of("\x1b\x07"), std::string::npos);
  EXPECT_EQ(text.find("\nno leaks"), std::string::npos);
}

TEST(LeaksJson, HasEveryField) {
  auto target = sample::target();
  target.leaks = {sample::leak()};
  auto report = sample::report({target, sample::target(5, "other")});
  report.unsupported = {{99, "/opt/old", "Go 1.15 is too old", "unsupported"}};
  const nlohmann::json j = leaks_json(report);
  EXPECT_EQ(j["version"], "0.1.0");
  EXPECT_EQ(j["at"], report.wall.unix_seconds(kNow));
  ASSERT_EQ(j["targets"].size(), 2);
  EXPECT_EQ(j["targets"][0]["mode"], "events");
  EXPECT_EQ(j["targets"][0]["goroutines"], 23);
  const nlohmann::json& leak = j["targets"][0]["leaks"][0];
  EXPECT_EQ(leak["id"], "8f0c1d2e3f405162");
  EXPECT_EQ(leak["stage"], "leaking");
  EXPECT_EQ(leak["cause"], "send_unbuffered_no_receiver");
  EXPECT_EQ(leak["advice"], verdict::advise(verdict::Cause::send_unbuffered_no_receiver));
  EXPECT_EQ(leak["first_seen"], report.wall.unix_seconds(kNow - seconds(130)));
  EXPECT_EQ(leak["creation"]["line"], 88);
  EXPECT_EQ(leak["blocked"]["wait"], "chan_send");
  EXPECT_EQ(leak["goroutines"], nlohmann::json({18, 21, 35}));
  EXPECT_EQ(leak["stack"][1]["function"], "main.run");
  EXPECT_EQ(j["unsupported"][0]["kind"], "unsupported");

  const nlohmann::json one = leaks_json(report, 5);
  ASSERT_EQ(one["targets"].size(), 1);
  EXPECT_EQ(one["targets"][0]["pid"], 5);
  EXPECT_TRUE(one["unsupported"].empty());
}

TEST(LeaksJson, UnknownIsNull) {
  auto target = sample::target();
  target.leaks = {sample::leak()};
  target.leaks[0].blocked_at_most_since = Instant::min();
  target.leaks[0].blocked.stack = nullptr;
  target.snapshot_taken = false;
  const nlohmann::json j = leaks_json(sample::report({target}))["targets"][0];
  EXPECT_TRUE(j["goroutines"].is_null());
  EXPECT_TRUE(j["leaks"][0]["blocked_at_most_since"].is_null());
  EXPECT_TRUE(j["leaks"][0]["stack"].is_array());
  EXPECT_TRUE(j["leaks"][0]["ignored"].is_null());
  EXPECT_TRUE(j["leaks"][0]["share_of_resident"].is_null());
  EXPECT_TRUE(j["leaks"][0]["memory_full_in_seconds"].is_null());
  EXPECT_TRUE(j["resident_bytes"].is_null());
}

TEST(ReportJson, TargetsShowHowTheyAreWatched) {
  auto target = sample::target();
  target.probes = {{"spawn", true, 7}};
  target.events_lost_ring = 3;
  target.totals.corrections = {4, 0, 0, 0};
  target.blocked_by_age[ledger::WaitClass::select] = {1, 2, 3, 4, 5};
  auto unseen = sample::target(2, "unseen");
  unseen.snapshot_taken = false;
  const auto report = sample::report({target, unseen});
  const nlohmann::json j = targets_json(report)["targets"];
  EXPECT_EQ(j[0]["counts"]["by_state"]["waiting"], 17);
  EXPECT_EQ(j[0]["counts"]["blocked_by_age"]["select"]["gt24h"], 5);
  EXPECT_EQ(j[0]["checks_last_run"]["growing"], report.wall.unix_seconds(kNow - seconds(12)));
  EXPECT_EQ(j[0]["probes"][0]["hits"], 7);
  EXPECT_EQ(j[0]["losses"]["events_ring_full"], 3);
  EXPECT_EQ(j[0]["losses"]["corrections"]["seeded"], 4);
  EXPECT_TRUE(j[1]["counts"].is_null());
  EXPECT_TRUE(j[1]["snapshot_at"].is_null());
}

TEST(ReportJson, SitesOfLookedAtProcesses) {
  auto target = sample::target();
  target.sites = {sample::site("a", 3)};
  target.sites[0].spawned = 10;
  target.sites[0].parked = 30;
  auto unseen = target;
  unseen.snapshot_taken = false;
  const nlohmann::json j = sites_json(sample::report({target, unseen}))["sites"];
  ASSERT_EQ(j.size(), 1);
  EXPECT_EQ(j[0]["id"], "a");
  EXPECT_EQ(j[0]["pid"], 4711);
  EXPECT_EQ(j[0]["live"], 3);
  EXPECT_EQ(j[0]["spawned"], 10);
  EXPECT_EQ(j[0]["parked"], 30);
  EXPECT_TRUE(j[0]["exited"].is_null());
  EXPECT_EQ(j[0]["function"], "main.handleOrder");
}

TEST(Json, BytesThatAreNotUtf8DoNotThrow) {
  EXPECT_EQ(to_text({{"exe", "/opt/\xff\xfe"}}), "{\n  \"exe\": \"/opt/\xef\xbf\xbd\xef\xbf\xbd\"\n}\n");
}

TEST(LeaksText, ShowsWhoTouchesTheirObjects) {
  auto target = sample::target();
  target.leaks = {sample::leak()};
  auto report = sample::report({target});
  verdict::Touches& touches = report.targets[0].touched_by[target.leaks[0].id];
  touches.watched = std::chrono::milliseconds(900);
  EXPECT_EQ(leaks(report).find("touched by"), std::string::npos) << "that says nothing yet";
  touches.watched = std::chrono::seconds(12);
  EXPECT_NE(leaks(report).find("  touched by nobody, while it was looked for that for 12s\n"), std::string::npos)
      << leaks(report);
  report.targets[0].wakes_watched = std::chrono::seconds(61);
  touches.by = {{.frames = {{"main.produce", "/srv/shop/main.go", 51}},
                 .operation = "select send",
                 .times = 4,
                 .last = report.at - std::chrono::minutes(12)},
                {.frames = {}, .operation = "send", .times = 1, .last = report.at - std::chrono::seconds(3)}};
  EXPECT_NE(leaks(report).find("  woken by   nobody, while it was looked for that for 1m1s\n"
                               "  touched by select send, 4 seen, the last 12m ago\n"
                               "             main.produce  /srv/shop/main.go:51\n"
                               "  or by      send, 1 seen, the last 3s ago, by the runtime itself\n"),
            std::string::npos)
      << leaks(report);
  const nlohmann::json json = leaks_json(report, {})["targets"][0]["leaks"][0];
  ASSERT_EQ(json["touched_by"].size(), 2U);
  EXPECT_EQ(json["touched_by"][0]["operation"], "select send");
  EXPECT_EQ(json["touched_by"][0]["stack"][0]["line"], 51);
  EXPECT_EQ(json["touches_watched_seconds"], 12);
}

ledger::TracebackFrame frame(std::string function, std::string file, int line, std::uint64_t offset,
                             bool inlined = false) {
  return {.frame = {std::move(function), std::move(file), line},
          .generic = {},
          .inlined = inlined,
          .hidden = false,
          .pc = 0x401000 + static_cast<std::uint64_t>(line),
          .pc_offset = offset};
}

GoroutineDump running() {
  GoroutineDump main;
  main.goid = 1;
  main.state = "running";
  main.stack_missing = "it runs";
  return main;
}

GoroutineDump stuck() {
  GoroutineDump g;
  g.goid = 7;
  g.parent = 1;
  g.state = "chan send";
  g.waiting_minutes = 12;
  g.locked_to_thread = true;
  g.frames = {frame("runtime.gopark", "/go/src/runtime/proc.go", 398, 0xce),
              frame("main.(*T).send", "/srv/main.go", 12, 0, true), frame("main.work[...]", "/srv/main.go", 20, 0x1d),
              frame("runtime.goexit", "/go/asm_amd64.s", 1650, 1)};
  g.frames.front().hidden = g.frames.back().hidden = true;
  g.created_by = frame("main.main", "/srv/main.go", 9, 0x45);
  g.started = "main.work[...]";
  g.object = ledger::ObjectDump{
      .kind = "channel",
      .address = 0xc000012345,
      .attributes = {{"length", std::uint64_t{2}}, {"capacity", std::uint64_t{2}}, {"closed", false}},
      .cases = {}};
  g.labels = {{"job", "a.1"}, {"user", "J \"x\""}};
  return g;
}

GoroutineDump selecting() {
  GoroutineDump g;
  g.goid = 8;
  g.state = "select";
  g.frames = {frame("main.loop", "/srv/main.go", 30, 0)};
  g.created_by = frame("main.init.0", "/srv/main.go", 5, 0x10);
  const auto channel = [](std::uint64_t address, std::string direction) {
    return ledger::ObjectDump{
        .kind = "channel", .address = address, .attributes = {{"direction", std::move(direction)}}, .cases = {}};
  };
  g.object = ledger::ObjectDump{.kind = "select",
                                .address = 0,
                                .attributes = {},
                                .cases = {channel(0xc000000200, "send"), channel(0xc000000100, "receive")}};
  return g;
}

// What a sink writes of these.
template <typename Sink, typename... Arguments>
std::string written(const std::vector<GoroutineDump>& goroutines, std::uint64_t left_out, Arguments... arguments) {
  std::string text;
  Sink sink(arguments..., [&](std::string_view bytes) { text += bytes; });
  for (const GoroutineDump& g : goroutines) sink.goroutine(g);
  EXPECT_TRUE(sink.end(left_out));
  return text;
}

TEST(DumpText, IsTheRuntimesTraceback) {
  EXPECT_EQ(written<DumpText>({running(), stuck(), selecting()}, 0, DumpTextOptions{.go_minor = 22}),
            "goroutine 1 [running]:\n"
            "\tgoroutine running on other thread; stack unavailable\n"
            "\n"
            "goroutine 7 [chan send, 12 minutes, locked to thread]:\n"
            "main.(*T).send(...)\n"
            "\t/srv/main.go:12\n"
            "main.work[...](...)\n"
            "\t/srv/main.go:20 +0x1d\n"
            "created by main.main in goroutine 1\n"
            "\t/srv/main.go:9 +0x45\n"
            "\n"
            "goroutine 8 [select]:\n"
            "main.loop(...)\n"
            "\t/srv/main.go:30\n"
            "created by main.init.0\n"
            "\t/srv/main.go:5 +0x10\n");
}

TEST(DumpText, DetailsAreLinesOfTheirOwn) {
  const std::string text =
      written<DumpText>({stuck(), selecting()}, 0, DumpTextOptions{.go_minor = 22, .details = true});
  EXPECT_NE(text.find("\t/srv/main.go:9 +0x45\n"
                      "# waits on channel 0xc000012345, length 2, capacity 2, closed no\n"
                      "# labels {job: a.1, user: \"J \\\"x\\\"\"}\n"
                      "\n"
                      "goroutine 8"),
            std::string::npos)
      << text;
  EXPECT_TRUE(
      text.ends_with("# waits on select\n"
                     "#   case channel 0xc000000200, direction send\n"
                     "#   case channel 0xc000000100, direction receive\n"))
      << text;
}

TEST(DumpText, LabelsAreInTheHeaderSinceGo127) {
  EXPECT_TRUE(goroutine_text(stuck(), {.go_minor = 27, .details = true})
                  .starts_with("goroutine 7 [chan send, 12 minutes, locked to thread] {job: a.1, user: \"J \\\"x"));
  EXPECT_EQ(goroutine_text(stuck(), {.go_minor = 27, .details = true}).find("# labels"), std::string::npos);
}

TEST(DumpText, FramesOfTheRuntimeAreShownWhereThereAreNoOthers) {
  GoroutineDump g;
  g.goid = 2;
  g.state = "force gc (idle)";
  g.frames = {frame("runtime.gopark", "/go/proc.go", 1, 2), frame("runtime.goexit", "/go/asm.s", 3, 4)};
  for (auto& one : g.frames) one.hidden = true;
  EXPECT_EQ(goroutine_text(g, {}),
            "goroutine 2 [force gc (idle)]:\n"
            "runtime.gopark(...)\n\t/go/proc.go:1 +0x2\n"
            "runtime.goexit(...)\n\t/go/asm.s:3 +0x4\n");
}

TEST(DumpText, LongStacksLoseTheirMiddleSinceGo121) {
  GoroutineDump g = selecting();
  g.frames.clear();
  for (int line = 1; line <= 103; ++line) g.frames.push_back(frame("main.deep", "/m.go", line, 1));
  const std::string text = goroutine_text(g, {.go_minor = 21});
  EXPECT_NE(text.find("/m.go:50 +0x1\n...3 frames elided...\nmain.deep(...)\n\t/m.go:54 +0x1\n"), std::string::npos);
  EXPECT_NE(text.find("/m.go:103 +0x1\ncreated by"), std::string::npos);
  EXPECT_EQ(goroutine_text(g, {.go_minor = 20}).find("elided"), std::string::npos);
  g.stack_missing = "additional frames elided";
  EXPECT_NE(goroutine_text(g, {.go_minor = 20}).find("/m.go:103 +0x1\n...additional frames elided...\ncreated by"),
            std::string::npos);
}

TEST(DumpText, PanicHasTheNameThatTracebacksGiveIt) {
  GoroutineDump g = selecting();
  g.frames[0].frame.function = "runtime.gopanic";
  EXPECT_NE(goroutine_text(g, {}).find("\npanic(...)\n"), std::string::npos);
}

TEST(DumpText, NamesOfOthersCannotForgeOutput) {
  GoroutineDump g = stuck();
  const std::string evil = "x\n\ngoroutine 9 [running]:\x1b[31m";
  g.state = g.started = evil;
  for (auto& one : g.frames) one.frame.function = one.frame.file = evil;
  g.object->attributes.emplace_back(evil, evil);
  g.labels = {{evil, evil}};
  const std::string text = goroutine_text(g, {.details = true});
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find("\ngoroutine 9"), std::string::npos);
  EXPECT_EQ(text.find("\n\n"), std::string::npos);
}

ledger::GoroutineGroup group_of(std::size_t size) {
  ledger::GoroutineGroup group{.title = "main.loop [select]", .goids = {}, .first = 0};
  for (std::size_t i = 0; i < size; ++i) group.goids.push_back(8 + i);
  return group;
}

TEST(DumpText, GroupsHaveATitleAndAnExample) {
  std::string text;
  DumpText sink({.color = true}, [&](std::string_view bytes) { text += bytes; });
  sink.group(group_of(12), selecting());
  sink.group(group_of(1), selecting());
  EXPECT_TRUE(
      text.starts_with("\x1b[1m# 12 goroutines: main.loop [select]\x1b[0m\n"
                       "# ids: 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, …\n"
                       "\x1b[1mgoroutine 8 [select]\x1b[0m:\nmain.loop(...)\n"))
      << text;
  EXPECT_NE(text.find("\n\n\x1b[1m# 1 goroutine: main.loop [select]\x1b[0m\n# ids: 8\n"), std::string::npos);
}

nlohmann::json dump_json(const std::vector<GoroutineDump>& goroutines) {
  const ProcessDump process{
      .pid = 4711, .exe = "/usr/bin/shop", .build_id = "0123abcd", .go_version = "go1.22.1", .torn = 2};
  return nlohmann::json::parse(
      written<DumpJson>(goroutines, 3, process, std::string("0.1.0"), DumpJson::Of::goroutines));
}

TEST(DumpJson, HasEveryField) {
  const nlohmann::json j = dump_json({running(), stuck(), selecting()});
  EXPECT_EQ(j["version"], "0.1.0");
  EXPECT_EQ(j["pid"], 4711);
  EXPECT_EQ(j["exe"], "/usr/bin/shop");
  EXPECT_EQ(j["build_id"], "0123abcd");
  EXPECT_EQ(j["go_version"], "go1.22.1");
  EXPECT_EQ(j["torn"], 2);
  EXPECT_EQ(j["left_out"], 3);
  ASSERT_EQ(j["goroutines"].size(), 3);
  EXPECT_EQ(j["goroutines"][0]["stack_missing"], "it runs");
  EXPECT_TRUE(j["goroutines"][0]["created_by"].is_null());
  EXPECT_TRUE(j["goroutines"][0]["waits_on"].is_null());
  EXPECT_EQ(j["goroutines"][0]["labels"], nlohmann::json::object());
  const nlohmann::json& stuck = j["goroutines"][1];
  EXPECT_EQ(stuck["id"], 7);
  EXPECT_EQ(stuck["parent"], 1);
  EXPECT_EQ(stuck["started"], "main.work[...]");
  EXPECT_EQ(stuck["waiting_minutes"], 12);
  EXPECT_EQ(stuck["locked_to_thread"], true);
  EXPECT_EQ(stuck["waits_on"],
            nlohmann::json(
                {{"kind", "channel"}, {"address", "0xc000012345"}, {"length", 2}, {"capacity", 2}, {"closed", false}}));
  EXPECT_EQ(stuck["labels"], nlohmann::json({{"job", "a.1"}, {"user", "J \"x\""}}));
  ASSERT_EQ(stuck["frames"].size(), 4);
  EXPECT_EQ(stuck["frames"][0]["hidden"], true);
  EXPECT_EQ(stuck["frames"][1]["inlined"], true);
  EXPECT_EQ(stuck["frames"][2]["pc"], "0x401014");
  EXPECT_EQ(stuck["frames"][2]["pc_offset"], 0x1d);
  EXPECT_EQ(stuck["created_by"]["function"], "main.main");
  const nlohmann::json& select = j["goroutines"][2]["waits_on"];
  EXPECT_TRUE(select["address"].is_null());
  EXPECT_EQ(select["cases"][1],
            nlohmann::json({{"kind", "channel"}, {"address", "0xc000000100"}, {"direction", "receive"}}));
}

TEST(DumpJson, NothingIsADocumentToo) { EXPECT_EQ(dump_json({})["goroutines"], nlohmann::json::array()); }

TEST(DumpJson, BytesThatAreNotUtf8DoNotThrow) {
  GoroutineDump g = selecting();
  g.labels = {{"k", "\xff"}};
  EXPECT_EQ(dump_json({g})["goroutines"][0]["labels"]["k"], "\xef\xbf\xbd");
}

TEST(DumpJson, GroupsHaveTheIdsOfTheirGoroutines) {
  std::string text;
  DumpJson sink(ProcessDump{}, "0.1.0", DumpJson::Of::groups, [&](std::string_view bytes) { text += bytes; });
  sink.group(group_of(2), selecting());
  sink.group(group_of(1), selecting());
  ASSERT_TRUE(sink.end(0));
  const nlohmann::json j = nlohmann::json::parse(text);
  ASSERT_EQ(j["groups"].size(), 2);
  EXPECT_EQ(j["groups"][0]["count"], 2);
  EXPECT_EQ(j["groups"][0]["title"], "main.loop [select]");
  EXPECT_EQ(j["groups"][0]["goroutines"], nlohmann::json({8, 9}));
  EXPECT_EQ(j["groups"][0]["example"]["id"], 8);
}

TEST(List, TableAndJson) {
  std::vector<ListRow> rows{{7, "shop", "go1.22.1", "/usr/bin/shop", 23, "events", ""},
                            {12345, "old", "go1.15", "/opt/old", std::nullopt, "no", "too old"}};
  rows[0].layout = "table";
  EXPECT_EQ(list_text(rows),
            "PID    APP   GO        GOROUTINES  WATCH   EXE            REASON\n"
            "7      shop  go1.22.1  23          events  /usr/bin/shop\n"
            "12345  old   go1.15    -           no      /opt/old       too old\n");
  EXPECT_EQ(list_text({}), "no Go processes found\n");
  const nlohmann::json j = list_json(rows);
  EXPECT_EQ(j["processes"][0]["goroutines"], 23);
  EXPECT_EQ(j["processes"][0]["layout"], "table");
  EXPECT_EQ(j["processes"][0]["container"], "");
  EXPECT_TRUE(j["processes"][1]["goroutines"].is_null());
  EXPECT_EQ(j["processes"][1]["reason"], "too old");
}

TEST(List, ContainersAndOtherLayoutsHaveAColumn) {
  std::vector<ListRow> rows{{7, "shop", "go1.22.1", "/shop", 23, "events", ""},
                            {8, "new", "go1.28", "/n", 1, "no", ""}};
  rows[0].container = "shop-1";
  rows[0].layout = "table";
  rows[1].layout = "nearest 1.27";
  EXPECT_EQ(list_text(rows),
            "PID  APP   CONTAINER  GO        LAYOUT        GOROUTINES  WATCH   EXE    REASON\n"
            "7    shop  shop-1     go1.22.1                23          events  /shop\n"
            "8    new              go1.28    nearest 1.27  1           no      /n\n");
}

}  // namespace
}  // namespace goleakd::text
