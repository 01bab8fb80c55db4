// SPDX-License-Identifier: Apache-2.0
#include "snapshot/reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <set>

#include "fake_memory.h"
#include "go_program_fixture.h"
#include "snapshot/picked.h"

namespace goleakd::snapshot {
namespace {

// A program with thousands of goroutines, each the goroutine of its number and parked.
class Readers : public testing::Test {
 protected:
  static constexpr std::uint64_t kGs = 0xc000000000;
  static constexpr std::uint64_t kArray = 0xd000000000;
  static constexpr std::uint64_t kStacks = 0xe000000000;  // not mapped
  static constexpr std::uint64_t kStride = 0x200;
  static constexpr std::uint64_t kCount = 10'000;

  void SetUp() override {
    auto made = std::make_shared<target::GoProcess>();
    made->pid = 1;
    made->exe = "fixture";
    auto binary = target::GoBinary::open(GoProgramFixture::file(GoProgramFixture::bytes()), "fixture");
    ASSERT_TRUE(binary) << binary.error().message();
    made->binary = *binary;
    process = made;
    memory.map(GoProgramFixture::kData, 0x1000);
    memory.map(kArray, kCount * 8);
    memory.map(kGs, kCount * kStride);
    for (std::uint64_t i = 0; i < kCount; ++i) {
      const std::uint64_t g = kGs + i * kStride;
      memory.put(kArray + i * 8, g);
      put(i, layout().goid, i + 1);
      put(i, layout().atomicstatus, static_cast<std::uint32_t>(GStatus::waiting));
      put(i, layout().stack_lo, kStacks + i * 0x800);
      put(i, layout().stack_hi, kStacks + (i + 1) * 0x800);
      put(i, layout().sched_sp, kStacks + i * 0x800 + 0x400);
    }
    grow_to(kCount);
  }

  const target::GLayout& layout() const { return process->binary->layout().g; }
  template <typename T>
  void put(std::uint64_t number, std::uint32_t offset, T value) {
    memory.put(kGs + number * kStride + offset, value);
  }
  void grow_to(std::uint64_t count) {
    memory.put(GoProgramFixture::kAllgs, kArray);
    memory.put(GoProgramFixture::kAllgs + 8, count);
    memory.put(GoProgramFixture::kAllgs + 16, count);
  }
  static std::set<std::uint64_t> goids(const Snapshot& snapshot) {
    std::set<std::uint64_t> found;
    for (std::size_t i = 0; i < snapshot.goroutines.size(); ++i) found.insert(snapshot.goroutines[i].goid);
    EXPECT_EQ(found.size(), snapshot.goroutines.size()) << "each once";
    return found;
  }

  std::shared_ptr<const target::GoProcess> process;
  FakeMemory memory;
};

constexpr std::size_t kAlone = std::numeric_limits<std::size_t>::max();

TEST_F(Readers, SeeTheSameWithHelpAndWithout) {
  put(17, layout().atomicstatus, static_cast<std::uint32_t>(GStatus::dead));
  put(9'999, layout().atomicstatus, std::uint32_t{77});  // torn
  put(5'000, layout().goid, std::uint64_t{0});           // torn
  for (const std::size_t help_from : {kAlone, std::size_t{0}}) {
    Reader reader(process, memory);
    SnapshotOptions options;
    options.help_from = help_from;
    options.raw = true;
    const auto snapshot = reader.take(options);
    ASSERT_TRUE(snapshot) << snapshot.error().message();
    const auto found = goids(*snapshot);
    EXPECT_EQ(found.size(), kCount - 3);
    EXPECT_FALSE(found.contains(18));
    EXPECT_EQ(snapshot->implausible, 2U);
    ASSERT_EQ(snapshot->raw.size(), snapshot->goroutines.size());
    for (std::size_t i = 0; i < snapshot->raw.size(); ++i)
      ASSERT_EQ(snapshot->raw[i].goid, snapshot->goroutines[i].goid);
  }
}

TEST_F(Readers, LookAgainOnlyAtWhatHasMoved) {
  for (const std::size_t help_from : {kAlone, std::size_t{0}}) {
    Reader reader(process, memory);
    SnapshotOptions options;
    options.help_from = help_from;
    options.stacks = false;
    grow_to(kCount - 1);
    ASSERT_EQ(reader.take(options)->reused, 0U);
    EXPECT_EQ(reader.take(options)->reused, kCount - 1);
    grow_to(kCount);
    put(4'711, layout().tracking_seq, static_cast<std::uint8_t>(help_from == 0 ? 1 : 2));
    const auto again = reader.take(options);
    EXPECT_EQ(goids(*again).size(), kCount);
    EXPECT_EQ(again->reused, kCount - 2) << "one moved, one is new";
  }
}

TEST_F(Readers, KeepTheFieldsOfThoseThatArePicked) {
  put(41, layout().waiting, std::uint64_t{0xabc0});
  put(1066, layout().atomicstatus, static_cast<std::uint32_t>(GStatus::dead));
  for (const std::size_t help_from : {kAlone, std::size_t{0}}) {
    Reader reader(process, memory);
    SnapshotOptions options;
    options.help_from = help_from;
    options.stacks = false;
    // The second has ended, the third shares bits with the first and is not meant.
    options.pick = GoidSet({9'999, 42, 1067, 20'000});
    for (int look = 0; look < 2; ++look) {  // those that stand still are read otherwise
      auto snapshot = reader.take(options);
      ASSERT_TRUE(snapshot) << snapshot.error().message();
      EXPECT_TRUE(snapshot->raw.empty());
      std::ranges::sort(snapshot->picked, {}, [](const PickedGoroutine& picked) { return picked.raw.goid; });
      ASSERT_EQ(snapshot->picked.size(), 2U);
      EXPECT_EQ(snapshot->picked[0].raw.goid, 42U);
      EXPECT_EQ(snapshot->picked[0].raw.waiting, 0xabc0U);
      EXPECT_EQ(snapshot->picked[1].goroutine.goid, 9'999U);

      const Snapshot few = snapshot_of_picked(*snapshot, options.pick);
      ASSERT_EQ(few.goroutines.size(), 2U);
      ASSERT_EQ(few.raw.size(), 2U);
      EXPECT_EQ(few.goroutines[1].goid, few.raw[1].goid);
      EXPECT_EQ(few.stacks[few.goroutines[1].stack], snapshot->stacks[0]) << "none was read";
    }
  }
}

TEST_F(Readers, GiveUpWhenTold) {
  for (const std::size_t help_from : {kAlone, std::size_t{0}}) {
    Reader reader(process, memory);
    SnapshotOptions options;
    options.help_from = help_from;
    options.progress = [](std::size_t done, std::size_t all) { return done < all / 2; };
    const auto snapshot = reader.take(options);
    // With help all may have been read before half of it is told.
    if (snapshot) {
      EXPECT_EQ(help_from, 0U);
      continue;
    }
    EXPECT_EQ(snapshot.error().kind(), ErrorKind::gone);
  }
}

}  // namespace
}  // namespace goleakd::snapshot
