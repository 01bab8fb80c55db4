// SPDX-License-Identifier: Apache-2.0
// Goroutines that wait although a context that they still use has ended.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "program_fixture.h"

namespace goleakd::verdict {
namespace {

// Each look at its goroutines comes with one at the contexts of those that goleakd asks for.
class CancelledContext : public Program {
 protected:
  ContextLook ended(Goid goid, bool deadline = false) const {
    return {.goid = goid, .deadline = deadline, .frame = {"main.refresh", "main.go", 20}};
  }
  void look() {
    Program::look();
    std::vector<ContextLook> looks;
    for (const Goid goid : engine.cancellations().unclear(ledger, now, most)) {
      EXPECT_TRUE(asked.insert(goid).second || !contexts.contains(goid)) << "what is known is asked again";
      if (const auto known = contexts.find(goid); known != contexts.end()) looks.push_back(known->second);
    }
    engine.cancellations().looked(looks, now);
  }
  void run(int looks) {
    for (int i = 0; i < looks; ++i) look();
  }
  // Until it has rested, and its context been over, for long enough, and both have been confirmed.
  int long_enough() const {
    return static_cast<int>(2 * 3 * thresholds.cancelled_after / interval) + 3 * (thresholds.confirm_windows + 2);
  }

  std::size_t most = 256;
  std::map<Goid, ContextLook> contexts;  // of those that have one which has ended
  std::set<Goid> asked;
};
INSTANTIATE_TEST_SUITE_P(Windows, CancelledContext, windows());

TEST_P(CancelledContext, OneThatWaitsOnIsInformation) {
  start(++last_goid, "main.start", "main.refresh", WaitClass::chan_receive);
  contexts[last_goid] = ended(last_goid);
  start(++last_goid, "main.start", "main.other", WaitClass::chan_receive);
  const Instant began = now;
  while (engine.detected() == 0 && now - began < 10 * interval) look();
  EXPECT_GE(now - began, 2 * thresholds.cancelled_after);
  const Leak& leak = only();
  EXPECT_EQ(leak.evidence, Evidence::cancelled);
  EXPECT_EQ(leak.severity, Severity::info);
  EXPECT_EQ(leak.count, 1U);
  EXPECT_EQ(leak.blocked.function, "main.refresh");
  EXPECT_EQ(leak.cause, Cause::receive_never_satisfied);
  ASSERT_TRUE(leak.cancelled.has_value());
  EXPECT_EQ(leak.cancelled->frame.line, 20);
  EXPECT_EQ(leak.goroutines, std::vector<Goid>{last_goid - 1});
  EXPECT_NE(leak.reasoning.find("after the context that it uses was cancelled"), std::string::npos) << leak.reasoning;
  EXPECT_TRUE(engine.last_run(Evidence::cancelled).has_value());
}

TEST_P(CancelledContext, ADeadlineIsToldApart) {
  start(++last_goid, "main.start", "main.refresh", WaitClass::chan_receive);
  contexts[last_goid] = ended(last_goid, true);
  run(long_enough());
  EXPECT_NE(only().reasoning.find("has passed its deadline"), std::string::npos) << only().reasoning;
}

TEST_P(CancelledContext, WhoMovesIsCleaningUp) {
  start(++last_goid, "main.start", "main.refresh", WaitClass::chan_receive);
  contexts[last_goid] = ended(last_goid);
  for (int i = 0; i < 3 * long_enough(); ++i) {
    if (i % 4 == 0) wake(last_goid);
    look();
    if (engine.cancellations().by_leak("shop", ledger, now).empty()) asked.erase(last_goid);
    EXPECT_TRUE(engine.leaks().empty());
  }
}

TEST_P(CancelledContext, ItEndsWithTheGoroutine) {
  start(++last_goid, "main.start", "main.refresh", WaitClass::chan_receive);
  contexts[last_goid] = ended(last_goid);
  run(long_enough());
  EXPECT_EQ(only().stage, Stage::leaking);
  stop(last_goid);
  run(3 * (thresholds.resolve_windows + 1));
  EXPECT_EQ(only().stage, Stage::resolved);
}

TEST_P(CancelledContext, ItSupportsBetterEvidence) {
  for (int i = 0; i < 3 * 14; ++i) {
    if (i % 3 == 0) {
      const Goid goid = leak();
      contexts[goid] = ended(goid);
    }
    look();
  }
  const Leak& leak = only();
  EXPECT_EQ(leak.evidence, Evidence::growing);
  ASSERT_TRUE(leak.cancelled.has_value());
  EXPECT_LT(leak.cancelled->count, leak.count);
  EXPECT_GT(leak.cancelled->count, 5U);
}

TEST_P(CancelledContext, ManyAreAskedInTurns) {
  leak(1000);
  most = 300;
  run(static_cast<int>(3 * thresholds.cancelled_after / interval) + 6);
  EXPECT_EQ(asked.size(), 1001U);  // the main one too
}

TEST(CancelledContextLimits, NothingIsAskedOfTooMany) {
  ledger::Ledger ledger;
  Cancellations cancellations(std::chrono::seconds(1));
  std::vector<ledger::GoroutineState> states;
  for (Goid goid = 1; goid <= Cancellations::kMaxGoroutines + 1; ++goid)
    states.push_back(ledger::waiting(goid, goid, WaitClass::chan_receive));
  ledger.apply(ledger::snapshot(0, 10, states));
  EXPECT_TRUE(cancellations.unclear(ledger, at(5000), 10).empty());
  states.resize(10);
  ledger::Ledger small;
  small.apply(ledger::snapshot(0, 10, states));
  EXPECT_EQ(cancellations.unclear(small, at(5000), 20).size(), 10U);
  EXPECT_EQ(cancellations.unclear(small, at(5000), 4), (std::vector<Goid>{1, 2, 3, 4}));
  EXPECT_EQ(cancellations.unclear(small, at(5000), 4), (std::vector<Goid>{5, 6, 7, 8}));
  EXPECT_TRUE(cancellations.unclear(small, at(500), 4).empty());  // of those parked long enough
}

}  // namespace
}  // namespace goleakd::verdict
