// SPDX-License-Identifier: Apache-2.0
#include "text/check.h"

#include <gtest/gtest.h>

namespace goleakd::text {
namespace {

CheckReport sample() {
  return {.host = {{.name = "kernel", .state = CheckItem::State::good, .found = "Linux 6.18", .remedy = ""},
                   {.name = "CAP_BPF", .state = CheckItem::State::missing, .found = "no", .remedy = "run as root"},
                   {.name = "CAP_X", .state = CheckItem::State::missing, .found = "no", .remedy = "run as root"}},
          .pid = 42,
          .process = {{.name = "service", .state = CheckItem::State::limited, .found = "a\x1b[2Jb", .remedy = ""}}};
}

TEST(Check, IsATableWithEachRemedyOnceBelow) {
  EXPECT_EQ(check_text(sample()),
            "this host\n"
            "  kernel   good     Linux 6.18\n"
            "  CAP_BPF  missing  no\n"
            "  CAP_X    missing  no\n"
            "\n"
            "process 42\n"
            "  service  limited  a?[2Jb\n"
            "\n"
            "what would help\n"
            "  - run as root\n");
}

TEST(Check, HasNoProcessUnlessOneWasAskedFor) {
  CheckReport report = sample();
  report.pid.reset();
  EXPECT_EQ(check_text(report).find("process"), std::string::npos);
  EXPECT_TRUE(check_json(report)["process"].is_null());
}

TEST(Check, SaysTheSameInJson) {
  const nlohmann::json json = check_json(sample());
  EXPECT_EQ(json["host"][1]["state"], "missing");
  EXPECT_EQ(json["host"][1]["remedy"], "run as root");
  EXPECT_EQ(json["process"]["pid"], 42);
  EXPECT_EQ(json["process"]["items"][0]["state"], "limited");
}

}  // namespace
}  // namespace goleakd::text
