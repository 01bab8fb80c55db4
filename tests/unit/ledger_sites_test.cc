// SPDX-License-Identifier: Apache-2.0
// Wait classes and site tables.
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ledger/ledger.h"
#include "ledger_fixture.h"

namespace goleakd::ledger {
namespace {

TEST(WaitClass, ComesFromTheRuntimesText) {
  const std::array<std::pair<std::string_view, WaitClass>, 20> table{{
      {"IO wait", WaitClass::io},
      {"chan receive", WaitClass::chan_receive},
      {"chan receive (nil chan)", WaitClass::chan_receive_nil},
      {"chan receive (durable)", WaitClass::chan_receive},
      {"chan receive (synctest)", WaitClass::chan_receive},
      {"chan send", WaitClass::chan_send},
      {"chan send (nil chan)", WaitClass::chan_send_nil},
      {"select", WaitClass::select},
      {"select (durable)", WaitClass::select},
      {"select (no cases)", WaitClass::select_no_cases},
      {"semacquire", WaitClass::semaphore},
      {"sleep", WaitClass::sleep},
      {"sync.Cond.Wait", WaitClass::cond},
      {"sync.Mutex.Lock", WaitClass::mutex},
      {"sync.RWMutex.RLock", WaitClass::rwmutex_read},
      {"sync.WaitGroup.Wait (durable)", WaitClass::wait_group},
      {"coroutine", WaitClass::coroutine},
      {"GC worker (idle)", WaitClass::runtime},
      {"", WaitClass::none},
      {"something new", WaitClass::none},
  }};
  for (const auto& [text, wait] : table) EXPECT_EQ(wait_class_of(text), wait) << text;
}

TEST(WaitClass, WordsAreDistinct) {
  std::set<std::string_view> words;
  for (int i = 0; i <= static_cast<int>(WaitClass::runtime); ++i) words.insert(to_string(static_cast<WaitClass>(i)));
  EXPECT_EQ(words.size(), static_cast<std::size_t>(WaitClass::runtime) + 1);
  EXPECT_EQ(to_string(WaitClass::chan_receive_nil), "chan_receive_nil");
}

TEST(Sites, AreInternedByTheirKeys) {
  Ledger ledger;
  const CreationId first = ledger.intern(creation_site("main.serve", 0));
  CreationSite moved = creation_site("main.serve", 0);
  moved.line = 99;  // an edit above it
  EXPECT_EQ(ledger.intern(moved), first);
  EXPECT_NE(ledger.intern(creation_site("main.serve", 1)), first);

  const BlockedId blocked = ledger.intern(place("main.f", WaitClass::chan_send, 7));
  EXPECT_EQ(ledger.intern(place("main.f", WaitClass::chan_send, 7)), blocked);
  EXPECT_NE(ledger.intern(place("main.f", WaitClass::chan_send, 8)), blocked);
  EXPECT_NE(ledger.intern(place("main.f", WaitClass::select, 7)), blocked);

  const auto by = [&](const char* caller, const char* outermost) {
    BlockedPlace where = place("main.f", WaitClass::chan_send, 7);
    where.stack = std::make_shared<const std::vector<Frame>>(
        std::vector<Frame>{{"main.f", "app.go", 7}, {caller, "app.go", 3}, {outermost, "app.go", 1}});
    return ledger.intern(where);
  };
  EXPECT_EQ(by("main.g", "main.work"), by("main.h", "main.work"));
  EXPECT_NE(by("main.g", "main.work"), by("main.g", "main.other"));
}

TEST(Sites, PastTheLimitAreUnknown) {
  Ledger ledger({.goroutines = 10, .sites = 2});
  const CreationId a = ledger.intern(creation_site("a"));
  ledger.intern(creation_site("b"));
  EXPECT_EQ(ledger.intern(creation_site("c")), CreationId{});
  EXPECT_EQ(ledger.intern(creation_site("a")), a);

  ledger.apply(snapshot(0, 1, {running(5)}));
  ASSERT_EQ(ledger.creations().size(), 1U);
  EXPECT_EQ(ledger.creations()[0].site->function, "unknown");
}

TEST(Sites, StayValidWhenTheLedgerMovesAndGrows) {
  Ledger first;
  const CreationId id = first.intern(creation_site("main.first"));
  GoroutineState state = running(5);
  state.creation = id;
  first.apply(snapshot(0, 1, {state}));
  Ledger ledger = std::move(first);
  const CreationSite* site = ledger.creations()[0].site;
  for (int i = 0; i < 1000; ++i) ledger.intern(creation_site("main.f" + std::to_string(i)));
  EXPECT_EQ(ledger.intern(creation_site("main.first")), id);
  EXPECT_EQ(site, ledger.creations()[0].site);
  EXPECT_EQ(site->function, "main.first");
}

}  // namespace
}  // namespace goleakd::ledger
