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

bool ignores(const IgnoreRule& rule, std::string_view service = "shop") {
  return ignored_by({rule}, service, leak(), kDay - 24h) != nullptr;
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

TEST(Ignore, ARuleCountsUntilItsDay) {
  const std::vector<IgnoreRule> rules{{.created_by = "net/http.*", .until = kDay}};
  EXPECT_NE(ignored_by(rules, "shop", leak(), kDay - 1s), nullptr);
  EXPECT_EQ(ignored_by(rules, "shop", leak(), kDay), nullptr);
}

TEST(Ignore, TheFirstThatHoldsGivesTheReason) {
  const std::vector<IgnoreRule> rules{{.reason = "no", .created_by = "main.*"},
                                      {.reason = "first", .created_by = "net/*"},
                                      {.reason = "second", .blocked_in = "*"}};
  ASSERT_NE(ignored_by(rules, "shop", leak(), kDay), nullptr);
  EXPECT_EQ(ignored_by(rules, "shop", leak(), kDay)->reason, "first");
}

}  // namespace
}  // namespace goleakd::verdict
