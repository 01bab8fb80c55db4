// SPDX-License-Identifier: Apache-2.0
// What somebody accepts, and the file that says so.
#include "daemon/accepted.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "daemon/config.h"
#include "sample_report.h"
#include "text/json.h"
#include "text/leaks_json.h"

namespace goleakd::daemon {
namespace {

constexpr auto kDay = std::chrono::sys_days(std::chrono::year(2026) / 11 / 26);

std::string answer(const std::vector<verdict::TargetReport>& targets) {
  return text::to_text(text::leaks_json(sample::report(targets)));
}

verdict::TargetReport with(int pid, verdict::Leak leak, const std::string& app = "shop") {
  verdict::TargetReport target = sample::target(pid, app);
  target.leaks = {std::move(leak)};
  return target;
}

TEST(Accepted, ProcessesOfAServiceAreOne) {
  verdict::Leak small = sample::leak();
  small.count = 12;
  small.peak = 500;
  const auto leaks =
      accepted_leaks(answer({with(1, sample::leak()), with(2, small), with(3, sample::leak(), "till")}), {});
  ASSERT_TRUE(leaks) << leaks.error().message();
  ASSERT_EQ(leaks->size(), 2U);
  EXPECT_EQ(leaks->at(0).service, "shop");
  EXPECT_EQ(leaks->at(0).id, sample::leak().id);
  EXPECT_EQ(leaks->at(0).count, 412U);
  EXPECT_EQ(leaks->at(0).peak, 500U);
  EXPECT_EQ(leaks->at(0).started, "main.handleOrder  /srv/shop/main.go:88");
  EXPECT_EQ(leaks->at(0).stuck, "main.handleOrder.func1  /srv/shop/main.go:91  [chan send]");
  EXPECT_EQ(leaks->at(1).service, "till");
}

TEST(Accepted, OnlyWhatIsTold) {
  verdict::Leak suspect = sample::leak();
  suspect.stage = verdict::Stage::suspect;
  verdict::Leak over = sample::leak();
  over.stage = verdict::Stage::resolved;
  verdict::Leak known = sample::leak();
  known.ignored = "known";
  const auto leaks = accepted_leaks(answer({with(1, suspect), with(2, over), with(3, known)}), {});
  ASSERT_TRUE(leaks);
  EXPECT_TRUE(leaks->empty());
}

TEST(Accepted, OnesThatAreAskedForMustBeThere) {
  verdict::Leak other = sample::leak();
  other.id = "0123456789abcdef";
  const std::string all = answer({with(1, sample::leak()), with(2, other)});
  const auto one = accepted_leaks(all, {other.id});
  ASSERT_TRUE(one);
  ASSERT_EQ(one->size(), 1U);
  EXPECT_EQ(one->at(0).id, other.id);
  const auto none = accepted_leaks(all, {other.id, "ffffffffffffffff"});
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message().find("ffffffffffffffff"), std::string::npos);
  EXPECT_FALSE(accepted_leaks("<html>", {}));
  EXPECT_FALSE(accepted_leaks("{}", {}));
}

// A name that would leave its comment, or its text, if it were written as it is.
AcceptedLeak hostile() {
  return {.service = "a\"b: c\n#d",
          .id = "0123456789abcdef",
          .started = "main.f\nignore: []\n",
          .stuck = "main.g",
          .evidence = "growing",
          .cause = "unknown",
          .count = 3,
          .peak = 7,
          .growth_per_hour = 1};
}

TEST(Accepted, TheDaemonReadsWhatIsWritten) {
  const std::string text = accepted_rules({hostile()}, {.reason = "it's \"known\": \\ see #7\n\xff",
                                                        .at = kDay + std::chrono::hours(13),
                                                        .until = kDay + std::chrono::days(36500),
                                                        .up_to = {}});
  const auto config = Config::parse(text, "accepted.yaml");
  ASSERT_TRUE(config) << config.error().message() << "\n" << text;
  ASSERT_EQ(config->ignore.rules.size(), 1U) << text;
  const verdict::IgnoreRule& rule = config->ignore.rules[0];
  EXPECT_EQ(rule.service, "a\"b: c*#d") << "a glob that matches it";
  EXPECT_EQ(rule.leak, hostile().id);
  EXPECT_EQ(rule.up_to, 7U) << "the most that there were";
  EXPECT_EQ(rule.accepted, kDay);
  EXPECT_EQ(rule.until, kDay + std::chrono::days(36500));
  EXPECT_EQ(rule.reason, "it's \"known\": \\ see #7\n\xef\xbf\xbd");
  EXPECT_NE(text.find("accepted on 2026-11-26 13:00:00 UTC"), std::string::npos) << text;
  EXPECT_NE(text.find("# growing, unknown; 3 goroutines then, 7 at most"), std::string::npos) << text;
}

TEST(Accepted, AServiceOfStarsIsKnownByTheIdAlone) {
  AcceptedLeak leak = hostile();
  leak.service = "\n";
  const auto config =
      Config::parse(accepted_rules({leak}, {.reason = "known", .at = kDay, .until = {}, .up_to = {}}), "a");
  ASSERT_TRUE(config) << config.error().message();
  EXPECT_EQ(config->ignore.rules.at(0).service, "");
}

TEST(Accepted, RoomCanBeGiven) {
  const std::string text = accepted_rules({hostile()}, {.reason = "known", .at = kDay, .until = {}, .up_to = 1000});
  const auto config = Config::parse(text, "accepted.yaml");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->ignore.rules.at(0).up_to, 1000U);
  EXPECT_FALSE(config->ignore.rules.at(0).until);
}

}  // namespace
}  // namespace goleakd::daemon
