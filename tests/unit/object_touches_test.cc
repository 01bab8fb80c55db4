// SPDX-License-Identifier: Apache-2.0
#include "daemon/object_touches.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>

#include "daemon/touch_addresses.h"

namespace goleakd::daemon {
namespace {

using std::chrono::seconds;

constexpr std::uint64_t kChannel = 0xc000001000;
constexpr std::uint64_t kOther = 0xc000002000;

Instant at(int second) { return Instant(std::chrono::hours(1) + seconds(second)); }

verdict::CaughtStack by(const std::string& function, int second) {
  return {.frames = {{function, "/srv/main.go", 1}}, .operation = "send", .times = 1, .last = at(second)};
}

// One leak, whose goroutines wait at `alone`, and in selects at `cases`.
ObjectTouches::Addresses leak(const std::set<std::uint64_t>& alone, const std::set<std::uint64_t>& cases = {}) {
  TouchAddresses addresses;
  for (const std::uint64_t address : alone) addresses.at[address] = {.kind = GOLEAKD_RECEIVE, .alone = true};
  for (const std::uint64_t address : cases) addresses.at[address] = {.kind = GOLEAKD_SELECT, .alone = false};
  return {{"leak", addresses}};
}

class Touches : public testing::Test {
 protected:
  void look(const ObjectTouches::Addresses& addresses, int begin, int end, bool lost = false) {
    touches.wait_at(addresses, at(begin), at(end), seconds(end), lost);
  }
  // Everything that is done at kChannel.
  void told_since(int second) {
    look(leak({kChannel}), second - 1, second - 1);
    touches.told_from(at(second));
  }
  std::string seen() const {
    std::string text;
    const auto known = touches.known().find("leak");
    if (known == touches.known().end()) return "never looked";
    for (const verdict::CaughtStack& stack : known->second.by)
      text += stack.frames[0].function + " " + std::to_string(stack.times) + ";";
    return text;
  }

  ObjectTouches touches{5};
};

TEST_F(Touches, CountWhenTheyAreStillWaitedOnAfterwards) {
  look(leak({}, {kChannel}), 1, 2);
  touches.told_from(at(3));
  touches.add(kChannel, by("main.f", 4));
  touches.add(kChannel, by("main.f", 5));
  touches.add(kChannel, by("main.late", 9));
  touches.add(kOther, by("main.g", 5));
  EXPECT_EQ(seen(), "never looked");
  look(leak({}, {kChannel, kOther}), 7, 8);
  EXPECT_EQ(seen(), "main.f 2;")
      << "nobody waited on the other one then, and what comes after the look is not known yet";
  look(leak({}, {kChannel}), 10, 11);
  EXPECT_EQ(seen(), "main.f 2;main.late 1;");
  EXPECT_EQ(touches.known().at("leak").watched, seconds(9)) << "since the first look";
}

TEST_F(Touches, OfWhatIsWaitedOnNoMoreAreForgotten) {
  look(leak({}, {kChannel}), 1, 2);
  touches.told_from(at(3));
  touches.add(kChannel, by("main.f", 4));
  look(leak({kOther}), 7, 8);
  look(leak({}, {kChannel}), 9, 10);
  look(leak({}, {kChannel}), 11, 12);
  EXPECT_EQ(seen(), "");
}

TEST_F(Touches, TheFirstAfterALookIsSure) {
  told_since(1);
  look(leak({kChannel}), 2, 3);
  touches.add(kChannel, by("main.close", 4));
  touches.add(kChannel, by("main.another", 5));  // the memory may have been used again by then
  EXPECT_EQ(seen(), "main.close 1;");
  look(leak({}), 6, 7);
  look(leak({kChannel}), 8, 9);
  EXPECT_EQ(seen(), "main.close 1;");
}

TEST_F(Touches, NothingIsSureWhenSomebodyMayHaveComeUnseen) {
  const auto counts_after_a_look = [&] {
    touches.add(kChannel, by("main.f", 9));
    return seen().find("main.f") != std::string::npos;
  };
  look(leak({kChannel}), 2, 3);
  EXPECT_FALSE(counts_after_a_look()) << "no probe is in place";

  touches = ObjectTouches(5);
  told_since(3);
  look(leak({kChannel}), 2, 4);
  EXPECT_FALSE(counts_after_a_look()) << "it came after the look had begun";

  touches = ObjectTouches(5);
  told_since(1);
  look(leak({kChannel}), 2, 4, true);
  EXPECT_FALSE(counts_after_a_look()) << "something was lost";

  touches = ObjectTouches(5);
  told_since(1);
  touches.add(kChannel, by("main.g", 3));
  look(leak({kChannel}), 2, 4);
  EXPECT_FALSE(counts_after_a_look()) << "that may have let them go after they were seen";

  touches = ObjectTouches(2);
  told_since(0);
  for (int i = 0; i < 2; ++i) touches.add(kChannel, by("main.g", 1));
  look(leak({kChannel}), 2, 4);
  EXPECT_FALSE(counts_after_a_look()) << "no more of these are told";

  touches = ObjectTouches(5);
  told_since(1);
  look(leak({kChannel}), 2, 4);
  touches.end_turn();
  EXPECT_FALSE(counts_after_a_look()) << "the probe has gone";

  touches = ObjectTouches(5);
  told_since(1);
  look(leak({}, {kChannel}), 2, 4);
  EXPECT_FALSE(counts_after_a_look()) << "another case of the select may have let them go";
}

TEST_F(Touches, GoWithTheirLeak) {
  told_since(1);
  look(leak({kChannel}), 2, 3);
  touches.add(kChannel, by("main.f", 4));
  look({{"another", {}}}, 5, 6);
  EXPECT_EQ(seen(), "never looked");
}

TEST(TouchAddresses, AreThoseThatTheRuntimeIsGiven) {
  const auto choice = target::layout_for(*target::GoVersion::parse("go1.24.4"), false);
  const target::Layout& layout = *choice->layout;
  const auto of = [&](const ledger::ObjectDump& object) {
    TouchAddresses addresses;
    addresses.add(layout, object);
    return addresses;
  };
  const auto plain = [](const char* kind) {
    return ledger::ObjectDump{.kind = kind, .address = kChannel, .attributes = {}, .cases = {}};
  };
  const auto only = [&](const char* kind) {
    const TouchAddresses addresses = of(plain(kind));
    EXPECT_EQ(addresses.at.size(), 1U) << kind;
    EXPECT_TRUE(addresses.at.begin()->second.alone) << kind;
    return std::pair(addresses.at.begin()->first, addresses.at.begin()->second.kind);
  };
  EXPECT_EQ(only("channel"), std::pair(kChannel, GOLEAKD_RECEIVE));
  EXPECT_EQ(only("mutex"), std::pair(kChannel + layout.mutex.sema, GOLEAKD_ACQUIRE));
  EXPECT_EQ(only("waitgroup").first, kChannel + layout.wait_group.sema);
  EXPECT_EQ(only("cond").first, kChannel + layout.cond.notify);
  const TouchAddresses lock = of(plain("rwmutex"));
  EXPECT_EQ(lock.at.size(), 3U);
  EXPECT_FALSE(lock.at.begin()->second.alone);
  EXPECT_TRUE(of(plain("timer")).at.empty());

  ledger::ObjectDump sends = plain("channel");
  sends.attributes = {{"direction", std::string("send")}};
  EXPECT_EQ(of(sends).at.at(kChannel).kind, GOLEAKD_SEND);
  ledger::ObjectDump select = plain("select");
  select.cases = {sends};
  EXPECT_EQ(of(select).at.at(kChannel).kind, GOLEAKD_SELECT);
  EXPECT_FALSE(of(select).at.at(kChannel).alone);
}

}  // namespace
}  // namespace goleakd::daemon
