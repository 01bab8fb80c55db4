// SPDX-License-Identifier: Apache-2.0
#include "snapshot/core_runtime.h"

#include <gtest/gtest.h>
#include <sys/ucontext.h>

#include <vector>

#include "fake_memory.h"
#include "go_program_fixture.h"
#include "snapshot/goroutine_table.h"

namespace goleakd::snapshot {
namespace {

constexpr std::uint64_t kStack = 0xc000010000;

// --- Threads in signal handlers --------------------------------------------------------------------------------------

class Interrupted : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kSignalStack = 0xc000200000;
  static constexpr std::uint64_t kSize = 32U << 10U;
  static constexpr std::uint64_t kContext = kSignalStack + kSize - 0x400;

  Interrupted() {
    memory_.map(kSignalStack, kSize);
    put_context(kContext, kStack + 0x80);
  }
  // As the kernel saves it, on the signal stack.
  void put_context(std::uint64_t address, std::uint64_t sp) {
    memory_.put(address + offsetof(ucontext_t, uc_stack.ss_sp), kSignalStack);
    memory_.put(address + offsetof(ucontext_t, uc_stack.ss_size), kSize);
    memory_.put(address + offsetof(ucontext_t, uc_mcontext.gregs) + REG_RSP * 8, sp);
    memory_.put(address + offsetof(ucontext_t, uc_mcontext.gregs) + REG_RIP * 8, std::uint64_t{0x401234});
  }
  void name_stack(std::uint64_t stack, std::uint64_t size) {
    memory_.put(kContext + offsetof(ucontext_t, uc_stack.ss_sp), stack);
    memory_.put(kContext + offsetof(ucontext_t, uc_stack.ss_size), size);
  }
  std::vector<CoreNotes::Thread> places(std::uint64_t sp) {
    return places_of(memory_, std::vector<CoreNotes::Thread>{{.pc = 0x409999, .sp = sp}});
  }

  FakeMemory memory_;
};

TEST_F(Interrupted, AThreadInAHandlerIsInBothPlaces) {
  const auto found = places(kSignalStack + kSize - 0x1008);
  ASSERT_EQ(found.size(), 2U);  // by sp
  EXPECT_EQ(found[0].sp, kStack + 0x80);
  EXPECT_EQ(found[0].pc, 0x401234U);
  EXPECT_EQ(found[1].pc, 0x409999U);
}

TEST_F(Interrupted, AHandlerThatIsInterruptedItselfIsLookedThrough) {
  put_context(kContext - 0x800, kSignalStack + kSize - 0x600);
  const auto found = places(kContext - 0x1008);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].sp, kStack + 0x80);
}

TEST_F(Interrupted, WhatIsNotOnTheStackThatItNamesIsNoContext) {
  name_stack(kSignalStack + kSize, kSize);
  EXPECT_EQ(places(kSignalStack + kSize - 0x1008).size(), 1U);
  name_stack(kSignalStack, kSize / 2);
  EXPECT_EQ(places(kSignalStack + kSize - 0x1008).size(), 1U);
  name_stack(0, ~std::uint64_t{0});
  EXPECT_EQ(places(kSignalStack + kSize - 0x1008).size(), 1U);
}

TEST_F(Interrupted, AThreadWithoutAStackIsWhereItsRegistersSay) { EXPECT_EQ(places(0x1234).size(), 1U); }

// --- The runtime -----------------------------------------------------------------------------------------------------

class CoreGoroutines : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kTable = 0xc000000000;
  static constexpr std::uint64_t kGs = 0xc000001000;
  static constexpr std::uint64_t kInGo = PclntabFixture::kText + 0x20;

  CoreGoroutines() {
    auto binary = target::GoBinary::open(GoProgramFixture::file(GoProgramFixture::bytes()), "fixture");
    EXPECT_TRUE(binary);
    process_.binary = *binary;
    memory_.map(GoProgramFixture::kAllgs, 24);
    memory_.put(GoProgramFixture::kAllgs, kTable);
    memory_.put(GoProgramFixture::kAllgs + 16, std::uint64_t{100});
    memory_.map(kTable, 800);
  }

  // Number `i`, whose stack is 8 KiB from stack(i) on. Returns the address of its g.
  std::uint64_t add(std::uint32_t status, std::uint64_t sched_pc = 0, std::uint64_t sched_sp = 0) {
    const target::GLayout& layout = process_.binary->layout().g;
    const std::uint64_t g = kGs + count_ * 0x400;
    memory_.map(g, layout.size);
    memory_.put(g + layout.atomicstatus, status);
    memory_.put(g + layout.goid, count_ + 1);
    memory_.put(g + layout.stack_lo, stack(count_));
    memory_.put(g + layout.stack_hi, stack(count_) + 0x2000);
    memory_.put(g + layout.sched_pc, sched_pc);
    memory_.put(g + layout.sched_sp, sched_sp);
    memory_.put(kTable + count_ * 8, g);
    memory_.put(GoProgramFixture::kAllgs + 8, ++count_);
    return g;
  }
  static std::uint64_t stack(std::uint64_t i) { return kStack + i * 0x10000; }

  CoreRuntime read(const std::vector<CoreNotes::Thread>& threads) {
    auto runtime = read_core_runtime(process_, memory_, threads);
    EXPECT_TRUE(runtime);
    return std::move(*runtime);
  }

  target::GoProcess process_;
  FakeMemory memory_;
  std::uint64_t count_ = 0;
};

constexpr auto kRunning = static_cast<std::uint32_t>(GStatus::running);
constexpr auto kWaiting = static_cast<std::uint32_t>(GStatus::waiting);

TEST_F(CoreGoroutines, ThatRanStandWhereTheirThreadDoesOrWhereTheyLeftTheirStack) {
  const std::uint64_t on_stack = add(kRunning, kInGo + 1, stack(0) + 0x1800);
  const std::uint64_t switched = add(kRunning, kInGo + 2, stack(1) + 0x1000);
  add(kRunning, kInGo, 0);                  // on the system stack, and nothing saved
  add(kRunning, 0x999, stack(3) + 0x1000);  // saved what is no code
  add(kRunning, kInGo, stack(4) + 0x1000);  // its thread is in something else than Go
  add(kWaiting, kInGo, stack(5) + 0x1000);
  const CoreRuntime runtime = read({{.pc = kInGo, .sp = stack(0) + 0x100},
                                    {.pc = 0x7fff0000, .sp = stack(4) + 0x100},
                                    {.pc = 0x7fff0000, .sp = 0x7ffff000},
                                    {.pc = 0x7fff0000, .sp = 0x7fffe000}});
  ASSERT_EQ(runtime.running.size(), 2U);
  EXPECT_EQ(runtime.running.at(on_stack).pc, kInGo);
  EXPECT_EQ(runtime.running.at(on_stack).sp, stack(0) + 0x100);
  EXPECT_EQ(runtime.running.at(switched).pc, kInGo + 2);
}

TEST_F(CoreGoroutines, ThatRanAreNoMoreThanThreads) {
  for (int i = 0; i < 20; ++i) add(kRunning, kInGo, stack(count_) + 0x1000);
  EXPECT_EQ(read({{.pc = 1, .sp = 1}, {.pc = 1, .sp = 1}}).running.size(), 2U);
  EXPECT_TRUE(read({}).running.empty());
}

TEST_F(CoreGoroutines, TellWhenTheProgramEnded) {
  const target::GLayout& layout = process_.binary->layout().g;
  const auto waits_since = [&](std::uint64_t ns) {
    memory_.put(add(kWaiting, kInGo, stack(count_) + 0x1000) + layout.waitsince, ns);
  };
  EXPECT_FALSE(read_core_runtime(process_, memory_, {}));  // no goroutine at all
  add(kWaiting, kInGo, stack(0) + 0x1000);
  EXPECT_EQ(read({}).died, Instant());
  waits_since(5'000'000'000);
  waits_since(7'000'000'000);
  waits_since(~std::uint64_t{0});  // cannot be
  EXPECT_EQ(read({}).died, instant_from_ns(7'000'000'000));
}

}  // namespace
}  // namespace goleakd::snapshot
