// SPDX-License-Identifier: Apache-2.0
#include "daemon/suspect_objects.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace goleakd::daemon {
namespace {

using Goids = std::vector<std::uint64_t>;
using std::chrono::seconds;

constexpr Instant kNow{std::chrono::hours(1)};

verdict::Leak leak(const std::string& id, Goids goroutines, verdict::Stage stage = verdict::Stage::leaking) {
  verdict::Leak leak;
  leak.id = id;
  leak.stage = stage;
  leak.goroutines = std::move(goroutines);
  return leak;
}

ledger::ObjectDump channel(std::uint64_t address) {
  return {.kind = "channel", .address = address, .attributes = {}, .cases = {}};
}

ledger::ObjectDump select(std::vector<ledger::ObjectDump> cases) {
  return {.kind = "select", .address = 0, .attributes = {}, .cases = std::move(cases)};
}

// A look at what those wait on.
Inspection look(Goids asked, std::vector<Inspection::Seen> seen = {}) {
  Inspection inspection;
  inspection.asked.goroutines = std::move(asked);
  inspection.begin = inspection.end = kNow;
  inspection.seen = std::move(seen);
  return inspection;
}

TEST(SuspectObjects, OneOfEachLeakComesBeforeASecond) {
  const SuspectObjects objects;
  EXPECT_EQ(objects.due({}, {}, kNow), Goids{});
  EXPECT_EQ(objects.due({leak("a", {1, 2, 3}), leak("b", {7}, verdict::Stage::resolved), leak("c", {4, 5})}, {}, kNow),
            (Goids{1, 4, 2, 5, 3}));

  std::vector<verdict::Leak> many;
  for (std::uint64_t i = 0; i < 40; ++i) many.push_back(leak("x", {i, 100 + i}));
  const Goids due = objects.due(many, {}, kNow);
  ASSERT_EQ(due.size(), Inspection::kMaxGoroutines);
  EXPECT_EQ(due.back(), 31U);
  EXPECT_EQ(objects.due({leak("a", {1, 2})}, Goids{8, 9}, kNow), (Goids{1, 2, 8, 9}));
  EXPECT_EQ(objects.due(many, Goids{99}, kNow), due);
}

TEST(SuspectObjects, AreLookedAtAgainAfterAWhileOrWhenOthersCome) {
  SuspectObjects objects;
  objects.take(look({1, 2}));
  EXPECT_EQ(objects.due({leak("a", {1})}, {}, kNow + seconds(1)), Goids{});
  EXPECT_EQ(objects.due({leak("a", {1, 3})}, {}, kNow + seconds(1)), (Goids{1, 3}));
  EXPECT_EQ(objects.due({leak("a", {1})}, {}, kNow + seconds(5)), Goids{1});
  Inspection of_channels = look({});
  of_channels.asked.channels = {0x10};
  objects.take(std::move(of_channels));
  EXPECT_EQ(objects.due({leak("a", {1})}, {}, kNow + seconds(1)), Goids{}) << "channels alone say nothing of them";
  objects.renew();
  EXPECT_EQ(objects.due({leak("a", {1})}, {}, kNow + seconds(1)), Goids{1});
}

TEST(SuspectObjects, EachIsToldOnceWithThoseWhoWaitOnIt) {
  SuspectObjects objects;
  objects.take(look({1, 2, 3, 4, 5}, {{.goid = 1, .object = channel(0x10)},
                                      {.goid = 2, .object = channel(0x20)},
                                      {.goid = 3, .object = channel(0x10)},
                                      {.goid = 4, .object = select({channel(0x10), channel(0x20)})},
                                      {.goid = 5, .object = select({channel(0x10), channel(0x30)})}}));
  const auto by_leak =
      objects.of({leak("a", {1, 2, 3, 9}), leak("b", {4, 5}), leak("c", {1}, verdict::Stage::resolved)});
  ASSERT_EQ(by_leak.size(), 2U);
  const auto& a = by_leak.at("a");
  ASSERT_EQ(a.size(), 2U);
  EXPECT_EQ(a[0].object.address, 0x10U);
  EXPECT_EQ(a[0].goroutines, (Goids{1, 3}));
  EXPECT_EQ(a[0].at, kNow);
  EXPECT_EQ(a[1].goroutines, Goids{2});
  ASSERT_EQ(by_leak.at("b").size(), 2U) << "selects on different channels";

  objects.take(look({1}));
  EXPECT_TRUE(objects.of({leak("a", {1, 2, 3})}).empty()) << "what was seen before may be true no more";
}

}  // namespace
}  // namespace goleakd::daemon
