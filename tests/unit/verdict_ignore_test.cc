// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <vector>

#include "verdict/ignore.h"

namespace goleakd::verdict {
namespace {

using namespace std::chrono_literals;

constexpr auto kDay = std::chrono::sys_days(std::chrono::year(2027) / 1 / 31);

Leak leak() {
  Leak leak;
  leak.id = "8f0c1d2e3f405162";
  leak.creation.function = "net/http.(*Server).Serve";
  leak.blocked.function = "main.pick[...]";
  leak.blocked.stack = std::make_shared<const std::vector<ledger::Frame>>(
      std::vector<ledger::Frame>{{"main.pick[...]", "", 0}, {"main.serve.func1", "", 0}});
  return leak;
}

// What the rules make of a leak.
Leak judged(const std::vector<IgnoreRule>& rules, Leak leak, std::chrono::system_clock::time_point now = kDay,
            std::string_view service = "shop") {
  apply({.rules = rules}, service, now, leak);
  return leak;
}

bool ignores(IgnoreRule rule, std::string_view service = "shop") {
  rule.reason = "known";
  return judged({rule}, leak(), kDay - 24h, service).ignored == "known";
}

TEST(Ignore, NamesOfFunctionsAreMeantLiterally) {
  EXPECT_TRUE(ignores({.created_by = "net/http.(*Server).Serve"}));
  EXPECT_TRUE(ignores({.blocked_in = "main.pick[...]"}));
  EXPECT_FALSE(ignores({.blocked_in = "main.pick."}));
  EXPECT_FALSE(ignores({.blocked_in = "main.pick"})) << "the whole name";
}

TEST(Ignore, AStarStandsForAnyText) {
  EXPECT_TRUE(ignores({.created_by = "net/http.*"}));
  EXPECT_TRUE(ignores({.created_by = "*Serve"}));
  EXPECT_TRUE(ignores({.created_by = "net/*.*Serve"}));
  EXPECT_TRUE(ignores({.created_by = "*"}));
  EXPECT_FALSE(ignores({.created_by = "net/http.*Close"}));
  EXPECT_FALSE(ignores({.created_by = "*http"}));
}

TEST(Ignore, AnyFunctionIsOneOfTheStack) {
  EXPECT_TRUE(ignores({.any_function = "main.serve.func1"}));
  EXPECT_TRUE(ignores({.any_function = "main.pick*"}));
  EXPECT_FALSE(ignores({.any_function = "net/http.(*Server).Serve"})) << "which has created it";
}

TEST(Ignore, AllThatIsGivenMustHold) {
  EXPECT_TRUE(ignores({.service = "sh*", .created_by = "net/http.*", .leak = "8f0c1d2e3f405162"}));
  EXPECT_FALSE(ignores({.service = "till", .created_by = "net/http.*"}));
  EXPECT_FALSE(ignores({.created_by = "net/http.*", .leak = "0000000000000000"}));
  EXPECT_FALSE(ignores({.created_by = "net/http.*", .blocked_in = "main.other"}));
}

TEST(Ignore, ALeakThatIsLeftAloneIsInformation) {
  Leak seen = leak();
  seen.severity = Severity::page;
  EXPECT_EQ(judged({{.reason = "known", .blocked_in = "main.pick*"}}, seen).severity, Severity::info);
  EXPECT_EQ(judged({{.reason = "known", .blocked_in = "main.other"}}, seen).severity, Severity::page);
}

TEST(Ignore, ARuleCountsUntilItsDay) {
  const std::vector<IgnoreRule> rules{{.reason = "known", .created_by = "net/http.*", .until = kDay}};
  EXPECT_EQ(judged(rules, leak(), kDay - 1s).ignored, "known");
  EXPECT_EQ(judged(rules, leak(), kDay).ignored, "");
}

TEST(Ignore, TheFirstThatHoldsGivesTheReason) {
  const std::vector<IgnoreRule> rules{{.reason = "no", .created_by = "main.*"},
                                      {.reason = "first", .created_by = "net/*"},
                                      {.reason = "second", .blocked_in = "*"}};
  EXPECT_EQ(judged(rules, leak()).ignored, "first");
}

TEST(Ignore, WhatWasAcceptedSpeaksAgainWhenItHasGrown) {
  const std::vector<IgnoreRule> rules{
      {.reason = "ticket 7", .leak = "8f0c1d2e3f405162", .up_to = 100, .accepted = kDay - std::chrono::days(3)}};
  Leak seen = leak();
  seen.severity = Severity::ticket;
  seen.count = seen.peak = 100;
  EXPECT_EQ(judged(rules, seen).ignored, "ticket 7");
  EXPECT_EQ(judged(rules, seen).outgrown, "");
  seen.count = 20;  // that it falls and rises again below its peak changes nothing
  seen.peak = 101;
  EXPECT_EQ(judged(rules, seen).ignored, "");
  EXPECT_EQ(judged(rules, seen).severity, Severity::ticket);
  EXPECT_EQ(judged(rules, seen).outgrown, "more than the 100 that are accepted since 2027-01-28: ticket 7");
}

TEST(Ignore, WhatIsAcceptedAnewIsSilentAgain) {
  Leak seen = leak();
  seen.peak = 150;
  const IgnoreRule before{.reason = "before", .leak = seen.id, .up_to = 100};
  const IgnoreRule later{.reason = "later", .leak = seen.id, .up_to = 200};
  EXPECT_EQ(judged({before, later}, seen).ignored, "later");
  EXPECT_EQ(judged({before, later}, seen).outgrown, "");
  seen.peak = 250;
  EXPECT_EQ(judged({before, later}, seen).outgrown, "more than the 200 that are accepted: later");
}

// A connection that http.Transport keeps.
Leak kept_connection(Evidence evidence = Evidence::stale) {
  Leak leak;
  leak.evidence = evidence;
  leak.creation.function = "net/http.(*Transport).dialConn";
  leak.blocked.function = "net/http.(*persistConn).writeLoop";
  leak.blocked.wait = ledger::WaitClass::select;
  return leak;
}

TEST(BuiltIn, LongLivedGoroutinesAreNeverStale) {
  EXPECT_EQ(judged({}, kept_connection()).ignored, "an http.Transport keeps the connection for the next request");
  EXPECT_EQ(judged({}, leak()).ignored, "");
}

TEST(BuiltIn, GrowthIsAlwaysTold) {
  for (const Evidence evidence : {Evidence::growing, Evidence::accumulating, Evidence::spinning}) {
    EXPECT_EQ(judged({}, kept_connection(evidence)).ignored, "") << to_string(evidence);
  }
  for (const Evidence evidence : {Evidence::forever, Evidence::stale}) {
    Leak grown = kept_connection(evidence);
    EXPECT_NE(judged({}, grown).ignored, "") << to_string(evidence);
    grown.has_grown = true;
    grown.severity = Severity::ticket;
    EXPECT_EQ(judged({}, grown).ignored, "") << to_string(evidence);
    EXPECT_EQ(judged({}, grown).severity, Severity::ticket);
  }
}

TEST(BuiltIn, CanBeSwitchedOff) {
  Leak seen = kept_connection();
  apply({.rules = {}, .built_in = false}, "shop", kDay, seen);
  EXPECT_EQ(seen.ignored, "");
}

TEST(BuiltIn, RulesOfTheConfigurationComeFirst) {
  EXPECT_EQ(judged({{.reason = "ours", .blocked_in = "net/http.*"}}, kept_connection()).ignored, "ours");
  // What somebody has accepted, up to a number, is his.
  Leak more = kept_connection();
  more.peak = 11;
  EXPECT_EQ(judged({{.reason = "ours", .blocked_in = "net/http.*", .up_to = 10}}, more).ignored, "");
}

}  // namespace
}  // namespace goleakd::verdict
