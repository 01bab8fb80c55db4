// SPDX-License-Identifier: Apache-2.0
// What makes two findings one leak, and ids.
#include <gtest/gtest.h>

#include <string>

#include "program_fixture.h"

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

}  // namespace
}  // namespace goleakd::verdict
