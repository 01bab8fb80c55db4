// SPDX-License-Identifier: Apache-2.0
#include "probe/detacher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>

namespace goleakd::probe {
namespace {

TEST(Detacher, DoesAllThatItWasGivenBeforeItEnds) {
  std::atomic<int> done = 0;
  {
    Detacher detacher;
    for (int i = 0; i < 1000; ++i) detacher.take({}, [&done] { ++done; });
  }
  EXPECT_EQ(done, 1000);
}

// What waits in the kernel waits together. With one thread this would never end.
TEST(Detacher, DoesSeveralThingsAtOnce) {
  Detacher detacher;
  std::latch together(4);
  for (int i = 0; i < 4; ++i) detacher.take({}, [&together] { together.arrive_and_wait(); });
  together.wait();
}

TEST(Detacher, DoesMoreAtOnceAtTheEnd) {
  std::latch together(16);
  Detacher detacher;
  for (int i = 0; i < 16; ++i) detacher.take({}, [&together] { together.arrive_and_wait(); });
  detacher.finish();
  EXPECT_TRUE(together.try_wait());
}

}  // namespace
}  // namespace goleakd::probe
