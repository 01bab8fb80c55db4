// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ledger/goroutine_filter.h"
#include "ledger/goroutine_groups.h"

namespace goleakd::ledger {
namespace {

TracebackFrame frame(std::string function, int line, std::uint64_t pc) {
  return {.frame = {std::move(function), "/srv/main.go", line},
          .generic = {},
          .inlined = false,
          .hidden = false,
          .pc = pc,
          .pc_offset = 1};
}

ObjectDump channel(std::uint64_t address) {
  return {.kind = "channel", .address = address, .attributes = {}, .cases = {}};
}

GoroutineDump sender(Goid goid) {
  GoroutineDump g;
  g.goid = goid;
  g.state = "chan send";
  g.waiting_minutes = 10;
  g.frames = {frame("runtime.gopark", 1, 100), frame("runtime.chansend", 2, 101), frame("main.send", 7, 102),
              frame("net/http.(*conn).serve", 9, 103)};
  g.created_by = frame("main.main", 20, 104);
  g.started = "main.send";
  g.object = channel(0xc000000100);
  g.labels = {{"job", "a"}, {"tenant", "x=y"}};
  return g;
}

GoroutineDump selecting(Goid goid) {
  GoroutineDump g;
  g.goid = goid;
  g.state = "select";
  g.frames = {frame("main.loop", 30, 200)};
  g.created_by = frame("main.init.0", 40, 201);
  g.started = "main.loop";
  g.object = ObjectDump{
      .kind = "select", .address = 0, .attributes = {}, .cases = {channel(0xc000000200), channel(0xc000000100)}};
  return g;
}

GoroutineDump running() {
  GoroutineDump g;
  g.goid = 1;
  g.state = "running";
  g.stack_missing = "it runs";
  return g;
}

bool shown(const GoroutineDump& g, const char* words, bool wanted = true) {
  const auto condition = GoroutineCondition::parse(words, wanted);
  EXPECT_TRUE(condition) << words;
  return condition && GoroutineFilter{.conditions = {*condition}}.shows(g);
}

TEST(GoroutineFilter, EachConditionLooksAtItsOwnPlace) {
  const GoroutineDump g = sender(5);
  EXPECT_TRUE(shown(g, "user http.(*conn)"));
  EXPECT_TRUE(shown(g, "user chansend"));
  EXPECT_FALSE(shown(g, "user main.main"));
  EXPECT_TRUE(shown(g, "current gopark"));
  EXPECT_FALSE(shown(g, "current main.send"));
  EXPECT_TRUE(shown(g, "created main.main"));
  EXPECT_FALSE(shown(g, "created main.send"));
  EXPECT_TRUE(shown(g, "start main.send"));
  EXPECT_FALSE(shown(g, "start main.main"));
  EXPECT_TRUE(shown(g, "state chan"));
  EXPECT_TRUE(shown(g, "state chan send"));
  EXPECT_FALSE(shown(g, "state select"));
  EXPECT_TRUE(shown(g, "label job"));
  EXPECT_TRUE(shown(g, "label job=a"));
  EXPECT_TRUE(shown(g, "label tenant=x=y"));
  EXPECT_FALSE(shown(g, "label job=b"));
  EXPECT_FALSE(shown(g, "label jo"));
  EXPECT_FALSE(shown(g, "running"));
  EXPECT_TRUE(shown(running(), "running"));
  EXPECT_FALSE(shown(running(), "created main"));
}

TEST(GoroutineFilter, WithoutIsTheOpposite) {
  for (const char* words : {"user main.send", "user main.main", "current x", "created main.main", "start x", "state x",
                            "label job", "label job=b", "running"}) {
    EXPECT_NE(shown(sender(5), words), shown(sender(5), words, false)) << words;
  }
}

TEST(GoroutineFilter, AllConditionsMustHold) {
  const GoroutineFilter filter{.conditions = {*GoroutineCondition::parse("state chan", true),
                                              *GoroutineCondition::parse("user main.send", false)}};
  EXPECT_FALSE(filter.shows(sender(5)));
  GoroutineDump other = sender(6);
  other.frames.resize(2);
  EXPECT_TRUE(filter.shows(other));
}

TEST(GoroutineFilter, ObjectsAreFoundInSelectsToo) {
  GoroutineFilter filter;
  filter.object = 0xc000000100;
  EXPECT_TRUE(filter.shows(sender(5)));
  EXPECT_TRUE(filter.shows(selecting(6)));
  EXPECT_FALSE(filter.shows(running()));
  filter.object = 0xc000000300;
  EXPECT_FALSE(filter.shows(selecting(6)));
}

TEST(GoroutineFilter, WaitingAndSystem) {
  GoroutineFilter filter;
  filter.min_wait = std::chrono::minutes(10);
  EXPECT_TRUE(filter.shows(sender(5)));
  filter.min_wait += std::chrono::seconds(1);
  EXPECT_FALSE(filter.shows(sender(5)));
  GoroutineDump system = sender(5);
  system.system = true;
  EXPECT_FALSE(GoroutineFilter{}.shows(system));
  EXPECT_TRUE(GoroutineFilter{.system = true}.shows(system));
}

TEST(GoroutineFilter, WrongWordsAreRefusedWithThoseThatAreRight) {
  for (const char* words : {"", "user", "user ", "running fast", "colour red", "label"}) {
    const auto condition = GoroutineCondition::parse(words, true);
    ASSERT_FALSE(condition) << words;
    EXPECT_EQ(condition.error().kind(), ErrorKind::invalid);
    EXPECT_NE(condition.error().message().find("user FUNC"), std::string::npos);
  }
  EXPECT_EQ(GoroutineCondition::parse("goloc main.main", true)->kind, GoroutineCondition::Kind::created);
}

std::vector<GoroutineGroup> groups(GroupBy by, const std::vector<GoroutineDump>& goroutines) {
  GoroutineGroups groups(by);
  for (std::size_t i = 0; i < goroutines.size(); ++i) groups.add(goroutines[i], i);
  return std::move(groups).worst_first();
}

TEST(GoroutineGroups, LargestFirstWithAnExample) {
  const auto found = groups(GroupBy::state, {running(), selecting(2), sender(3), sender(4)});
  ASSERT_EQ(found.size(), 3);
  EXPECT_EQ(found[0].title, "chan send");
  EXPECT_EQ(found[0].goids, (std::vector<Goid>{3, 4}));
  EXPECT_EQ(found[0].first, 2);
  EXPECT_EQ(found[1].title, "running");
  EXPECT_EQ(found[2].title, "select");
}

TEST(GoroutineGroups, ASiteIsOutsideTheRuntime) {
  GoroutineDump inner = running();
  inner.frames = {frame("runtime.gopark", 1, 100), frame("sync.(*Mutex).Lock", 2, 101)};
  const auto found = groups(GroupBy::site, {sender(2), running(), inner});
  ASSERT_EQ(found.size(), 3);
  EXPECT_EQ(found[0].title, "main.send /srv/main.go:7 [chan send]");
  EXPECT_EQ(found[1].title, "runtime.gopark /srv/main.go:1 [running]");
  EXPECT_EQ(found[2].title, "stack unavailable [running]");
}

TEST(GoroutineGroups, CreatedBy) {
  const auto found = groups(GroupBy::created, {sender(2), sender(3), running()});
  ASSERT_EQ(found.size(), 2);
  EXPECT_EQ(found[0].title, "main.main /srv/main.go:20");
  EXPECT_EQ(found[1].title, "not created by a go statement");
}

TEST(GoroutineGroups, SelectsOfTheSameChannelsAreTogether) {
  GoroutineDump turned = selecting(5);
  std::swap(turned.object->cases[0], turned.object->cases[1]);
  const auto found = groups(GroupBy::object, {sender(2), selecting(4), turned, running()});
  ASSERT_EQ(found.size(), 3);
  EXPECT_EQ(found[0].title, "select of 0xc000000100, 0xc000000200");
  EXPECT_EQ(found[1].title, "channel 0xc000000100");
  EXPECT_EQ(found[2].title, "no object");
}

TEST(GoroutineGroups, AStackIsEveryFrame) {
  GoroutineDump elsewhere = sender(4);
  elsewhere.frames.back().pc = 110;  // the same line, another call
  GoroutineDump other_state = sender(5);
  other_state.state = "chan send (nil chan)";
  const auto found = groups(GroupBy::stack, {sender(2), sender(3), elsewhere, other_state});
  ASSERT_EQ(found.size(), 3);
  EXPECT_EQ(found[0].goids, (std::vector<Goid>{2, 3}));
  EXPECT_EQ(found[2].title, found[0].title);
}

}  // namespace
}  // namespace goleakd::ledger
