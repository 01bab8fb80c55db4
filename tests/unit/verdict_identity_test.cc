// SPDX-License-Identifier: Apache-2.0
// What makes two findings one leak, and ids.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "program_fixture.h"
#include "verdict/stable_name.h"

namespace goleakd::verdict {
namespace {

using Identity = Program;
INSTANTIATE_TEST_SUITE_P(Windows, Identity, windows());

TEST_P(Identity, PlacesOfOneFunctionAreOneLeak) {
  run(15);
  run(14, [&] {
    leak();
    for (int i = 0; i < 2; ++i) {
      ledger::GoroutineState& other = start(++last_goid, "main.handle", "main.handle.func1", WaitClass::chan_send);
      other.blocked = ledger.intern(place("main.handle.func1", WaitClass::chan_send, 77));
      other.object = {.address = 0xc000000000, .unbuffered = false, .full = true};
    }
  });
  EXPECT_EQ(only().count, 3U * (42 - 3));
  EXPECT_EQ(only().blocked.line, 77);  // where most of them are
  EXPECT_EQ(only().cause, Cause::send_buffer_full);
  EXPECT_EQ(only().channels, 1U);
}

TEST_P(Identity, ReplicasAgreeOnTheId) {
  Engine replica("shop", thresholds);
  Engine other("cart", thresholds);
  leak(1, WaitClass::select_no_cases);
  look();
  replica.observe(ledger, facts, now);
  other.observe(ledger, facts, now);
  ASSERT_EQ(replica.leaks().size(), 1U);
  EXPECT_EQ(replica.leaks()[0].id, only().id);
  EXPECT_EQ(replica.leaks()[0].site_id, only().site_id);
  EXPECT_NE(other.leaks()[0].id, only().id);
}

TEST(Ids, NeverChange) {
  // People's dashboards, silences and history hold them.
  ledger::CreationSite site = creation_site("example.com/shop/cart.(*Cart).Sync", 1);
  ledger::BlockedPlace blocked = place("example.com/shop/cart.push", WaitClass::chan_send, 42);
  EXPECT_EQ(site_id("shop", site), "68a37dd79a3b6523");
  EXPECT_EQ(leak_id("shop", site, blocked), "d1f3f648bf9325e3");
  site.line = 1000;
  site.file = "elsewhere.go";
  site.entry = "renamed";
  blocked.line = 7;
  blocked.reason = "chan send (durable)";
  EXPECT_EQ(leak_id("shop", site, blocked), "d1f3f648bf9325e3");
  site.ordinal = 0;
  EXPECT_NE(site_id("shop", site), "68a37dd79a3b6523");
}

TEST(Ids, ClosuresAreNotNumbered) {
  const ledger::CreationSite site = creation_site("main.quote", 0);
  const std::string id = leak_id("shop", site, place("main.quote.func1", WaitClass::chan_send, 42));
  EXPECT_EQ(id, "19ea7fb94bdede96");
  EXPECT_EQ(id, leak_id("shop", site, place("main.quote.func2", WaitClass::chan_send, 42)));
  EXPECT_NE(id, leak_id("shop", site, place("main.quote.func1.1", WaitClass::chan_send, 42)));
  EXPECT_NE(id, leak_id("shop", site, place("main.quotes.func1", WaitClass::chan_send, 42)));
  // One that holds the go statement is, for two closures of one function may each have one.
  EXPECT_NE(site_id("shop", creation_site("main.main.func1", 0)), site_id("shop", creation_site("main.main.func2", 0)));
}

TEST(StableName, LeavesOutWhatTheCompilerCounts) {
  const std::map<std::string, std::string> names{
      {"main.quote.func1", "main.quote.func"},
      {"main.quote.func12.3.1", "main.quote.func.."},
      {"main.(*T).Run.func2", "main.(*T).Run.func"},
      {"main.T.Run.func2.gowrap1", "main.T.Run.func.gowrap"},
      {"example.com/a/b%2ev2.Do.deferwrap1", "example.com/a/b%2ev2.Do.deferwrap"},
      {"main.all-range1", "main.all-range"},
      {"main.all.func1-range2.func3", "main.all.func-range.func"},
      {"main.glob..func7", "main.glob..func"},
      {"main.init.0.func1", "main.init..func"},
      {"main.pick[...].func1", "main.pick[...].func"},
      // What people have chosen.
      {"main.func1", "main.func1"},
      {"main.func1.func2", "main.func1.func"},
      {"main.retry2", "main.retry2"},
      {"main.(*T2).run3", "main.(*T2).run3"},
      {"example.com/v2/a1.f2", "example.com/v2/a1.f2"},
      {"runtime.gopark", "runtime.gopark"},
      {"", ""},
      {"x", "x"},
      {"main.", "main."},
  };
  for (const auto& [name, stable] : names) EXPECT_EQ(stable_name(name), stable) << name;
}

}  // namespace
}  // namespace goleakd::verdict
