// SPDX-License-Identifier: Apache-2.0
#include "text/check.h"

#include <gtest/gtest.h>

#include "text/probes.h"

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

TEST(Probes, AreATableWithWhatWasRefused) {
  const ProbeTable table{.binary = "/opt/\x1b/app",
                         .go_version = "go1.27",
                         .rows = {{.probe = "exit",
                                   .group = "spawn and exit",
                                   .function = "runtime.gdestroy",
                                   .address = 0x452eca,
                                   .instruction = "push %rbp",
                                   .cost = "emulated",
                                   .reason = ""},
                                  {.probe = "park",
                                   .group = "park and unpark",
                                   .function = "runtime.gopark",
                                   .address = 0,
                                   .instruction = "",
                                   .cost = "",
                                   .reason = "it begins in a way that is not known"}},
                         .refused = {"park and unpark: it begins in a way that is not known"}};
  EXPECT_EQ(probes_text(table),
            "/opt/?/app, go1.27\n"
            "\n"
            "PROBE  FUNCTION          ADDRESS   INSTRUCTION  KERNEL\n"
            "exit   runtime.gdestroy  0x452eca  push %rbp    emulated\n"
            "park   runtime.gopark    -         -            refused   it begins in a way that is not known\n"
            "\n"
            "not probed: park and unpark: it begins in a way that is not known\n");
  const nlohmann::json json = probes_json(table);
  EXPECT_EQ(json["probes"][0]["address"], "0x452eca");
  EXPECT_EQ(json["probes"][0]["kernel"], "emulated");
  EXPECT_TRUE(json["probes"][1]["address"].is_null());
  EXPECT_EQ(json["probes"][1]["kernel"], "refused");
  EXPECT_EQ(json["refused"].size(), 1U);
}

}  // namespace
}  // namespace goleakd::text
