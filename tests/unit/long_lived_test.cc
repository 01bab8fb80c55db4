// SPDX-License-Identifier: Apache-2.0
// Who is meant to live long, each as it waits.
#include "ledger/long_lived.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace goleakd::ledger {
namespace {

using Names = std::vector<std::string_view>;

TEST(LongLived, EachIsFoundAsItWaitsAndNotOtherwise) {
  ASSERT_FALSE(long_lived().empty());
  for (const LongLived& known : long_lived()) {
    const WaitClass wait = known.wait.value_or(WaitClass::sleep);
    const std::string caller = std::string(known.function) + ".func1";
    const Names stack{"sync.(*Cond).Wait", known.function, caller};
    const std::string_view blocked = known.where == LongLived::Where::blocked ? known.function : "example.com/a.other";
    EXPECT_EQ(find_long_lived(blocked, wait, stack), &known) << known.function;
    if (known.wait) {
      EXPECT_EQ(find_long_lived(blocked, WaitClass::mutex, stack), nullptr) << known.function;
    }
    // Somebody else's code below it is somebody else's business.
    if (known.where == LongLived::Where::blocked) {
      EXPECT_EQ(find_long_lived("example.com/a.handler", wait, stack), nullptr) << known.function;
    }
    EXPECT_EQ(find_long_lived(caller, wait, {}), nullptr) << caller;
    EXPECT_GT(known.reason.size(), 20U) << known.function;
    EXPECT_FALSE(known.reason.ends_with('.')) << known.reason;
  }
}

TEST(LongLived, CopiesInVendorAreTheSame) {
  const LongLived* known =
      find_long_lived("example.com/shop/vendor/go.opencensus.io/stats/view.(*worker).start", WaitClass::select, {});
  ASSERT_NE(known, nullptr);
  EXPECT_EQ(known->ends, LongLived::Ends::never);
}

TEST(LongLived, ABodyThatIsNotClosedIsNotAKeptConnection) {
  EXPECT_NE(find_long_lived("net/http.(*persistConn).writeLoop", WaitClass::select, {}), nullptr);
  EXPECT_EQ(find_long_lived("net/http.(*persistConn).readLoop", WaitClass::select, {}), nullptr);
}

TEST(LongLived, WhatCanBeEndedIsALeakAtTheEnd) {
  for (const auto& [function, wait] :
       {std::pair{"database/sql.(*DB).connectionOpener", WaitClass::select},
        std::pair{"k8s.io/klog/v2.(*flushDaemon).run.func1", WaitClass::select},
        std::pair{"google.golang.org/grpc/internal/transport.(*controlBuffer).get", WaitClass::select}}) {
    const LongLived* known = find_long_lived(function, wait, {});
    ASSERT_NE(known, nullptr) << function;
    EXPECT_EQ(known->ends, LongLived::Ends::on_demand) << function;
  }
}

}  // namespace
}  // namespace goleakd::ledger
