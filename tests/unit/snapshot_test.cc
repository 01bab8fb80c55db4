// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "fake_memory.h"
#include "pclntab_fixture.h"
#include "snapshot/address_sort.h"
#include "snapshot/channel_look.h"
#include "snapshot/channels.h"
#include "snapshot/goroutine_table.h"
#include "snapshot/memory.h"
#include "snapshot/merged_read.h"
#include "snapshot/process_memory.h"
#include "snapshot/stack_table.h"
#include "snapshot/unwinder.h"

namespace goleakd::snapshot {
namespace {

constexpr std::uint64_t kAllgs = 0x600000;
constexpr std::uint64_t kArray = 0x700000;
constexpr std::uint64_t kG = 0xc000000000;
constexpr std::uint64_t kStack = 0xc000100000;

const target::Layout& layout() {
  static const target::LayoutChoice choice = *target::layout_for(*target::GoVersion::parse("go1.24.4"), false);
  return *choice.layout;
}

void put_slice(FakeMemory& memory, std::uint64_t data, std::uint64_t length, std::uint64_t capacity) {
  memory.map(kAllgs, 24);
  memory.put(kAllgs, data);
  memory.put(kAllgs + 8, length);
  memory.put(kAllgs + 16, capacity);
}

void put_g(FakeMemory& memory, std::uint64_t address, std::uint64_t goid, std::uint32_t status) {
  const target::GLayout& g = layout().g;
  memory.map(address, g.size);
  memory.put(address + g.goid, goid);
  memory.put(address + g.atomicstatus, status);
  memory.put(address + g.stack_lo, kStack);
  memory.put(address + g.stack_hi, kStack + 0x2000);
  memory.put(address + g.sched_sp, kStack + 0x1f00);
}

TEST(AllGs, ReadsTheSliceOfPointers) {
  FakeMemory memory;
  put_slice(memory, kArray, 2, 4);
  memory.map(kArray, 32);
  memory.put(kArray, kG);
  memory.put(kArray + 8, kG + 0x200);
  const auto addresses = read_g_addresses(memory, kAllgs);
  ASSERT_TRUE(addresses);
  EXPECT_EQ(*addresses, (LargeArray<std::uint64_t>{kG, kG + 0x200}));
  EXPECT_EQ(*read_g_addresses(memory, kAllgs, 1), (LargeArray<std::uint64_t>{kG + 0x200}));
  EXPECT_TRUE(read_g_addresses(memory, kAllgs, 2)->empty());
}

struct BadSlice {
  const char* name;
  std::uint64_t data, length, capacity;
};

TEST(AllGs, RefusesWhatIsNoSliceOfPointers) {
  for (const BadSlice& bad :
       {BadSlice{"empty", kArray, 0, 4}, BadSlice{"longer than its capacity", kArray, 5, 4},
        BadSlice{"absurd", kArray, 1ULL << 60U, 1ULL << 60U}, BadSlice{"unaligned", kArray + 1, 1, 4},
        BadSlice{"unmapped", 0x900000, 1, 4}, BadSlice{"holding no pointers", kArray, 1, 4}}) {
    FakeMemory memory;
    put_slice(memory, bad.data, bad.length, bad.capacity);
    memory.map(kArray, 64);
    memory.put(kArray, std::uint64_t{7});
    EXPECT_FALSE(read_g_addresses(memory, kAllgs)) << bad.name;
  }
}

TEST(Addresses, AreSortedHoweverManyAndFarApart) {
  std::mt19937_64 random(1);  // NOLINT(cert-msc51-cpp): the same each time
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{100}, std::size_t{5000}}) {
    for (const int bits : {1, 13, 14, 15, 30, 47}) {
      LargeArray<std::uint64_t> addresses;
      for (std::size_t i = 0; i < count; ++i) addresses.push_back(kG + random() % (1ULL << bits) / 8 * 8);
      auto expected = addresses;
      std::ranges::sort(expected);
      LargeArray<std::uint64_t> scratch(count);
      sort_addresses(addresses, scratch);
      EXPECT_EQ(addresses, expected) << count << " within " << bits << " bits";
    }
  }
}

TEST(GStructs, AreDecodedByTheLayoutWithoutTheScanBit) {
  FakeMemory memory;
  put_g(memory, kG, 17, 0x1004);  // waiting, being scanned
  put_g(memory, kG + 0x400, 18, 6);
  std::vector<std::uint8_t> bytes(layout().g.size);
  ASSERT_TRUE(memory.read(kG, bytes));
  const RawGoroutine g = decode_g(bytes, kG, layout().g);
  EXPECT_EQ(g.address, kG);
  EXPECT_EQ(g.goid, 17U);
  EXPECT_EQ(g.status, GStatus::waiting);
  EXPECT_EQ(g.stack_hi, kStack + 0x2000);
  EXPECT_TRUE(plausible(g));
  ASSERT_TRUE(memory.read(kG + 0x400, bytes));
  EXPECT_TRUE(decode_g(bytes, kG + 0x400, layout().g).dead());
  bytes.pop_back();
  EXPECT_TRUE(decode_g(bytes, kG, layout().g).dead()) << "cut short: nothing is believed";
}

TEST(MergedReads, GiveEachRangeItsBytesInAnyOrder) {
  FakeMemory memory;
  memory.map(0x10000, 0x1000);
  memory.map(0x40000, 0x1000);
  for (std::uint64_t at = 0; at < 0x1000; at += 8) {
    memory.put(0x10000 + at, 0x10000 + at);
    memory.put(0x40000 + at, 0x40000 + at);
  }
  MergedRead reads;
  const std::vector<std::uint64_t> addresses{0x40800, 0x10008, 0x20000, 0x10000, 0x10ff8, 0x40000, 0x10008};
  for (const std::uint64_t address : addresses) reads.add(address, 8);
  reads.add(0x10ff8, 16);  // ends where nothing is mapped
  reads.add(0x10000, 0);
  reads.add(~0ULL - 3, 8);
  ASSERT_TRUE(reads.read(memory));
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    if (addresses[i] == 0x20000) {
      EXPECT_TRUE(reads[i].empty());
    } else {
      EXPECT_EQ(read_at<std::uint64_t>(reads[i], 0), addresses[i]);
    }
  }
  for (std::size_t i = addresses.size(); i < reads.size(); ++i) EXPECT_TRUE(reads[i].empty());
}

Stack stack_of(std::uint64_t caller) {
  return {.frames = {{.pc = 0x1000, .symbol_pc = 0xfff, .return_at = 8},
                     {.pc = caller, .symbol_pc = caller - 1, .return_at = 24},
                     {.pc = 0x3000, .symbol_pc = 0x2fff, .return_at = 0}},
          .end = UnwindEnd::top};
}

std::vector<std::uint8_t> words(std::initializer_list<std::uint64_t> values) {
  std::vector<std::uint8_t> bytes(values.size() * 8);
  std::memcpy(bytes.data(), std::data(values), bytes.size());
  return bytes;
}

TEST(Stacks, AreRecognisedByTheirReturnAddressesAlone) {
  constexpr std::uint64_t kBias = 0x555500000000;
  StackTable table;
  const auto first = table.add(64, stack_of(0x2000));
  const auto second = table.add(64, stack_of(0x2100));
  EXPECT_NE(first, second);
  ASSERT_NE(table.candidates(0x1000, 64), nullptr);
  const StackTable::Candidates& among = *table.candidates(0x1000, 64);
  EXPECT_EQ(among.bytes, 32U);
  EXPECT_EQ(table.candidates(0x1000, 72), nullptr) << "another depth, other frames";
  EXPECT_EQ(table.recognise(among, 0x1000, words({9, 0x2000 + kBias, 9, 0x3000 + kBias}), kBias), first);
  EXPECT_EQ(table.recognise(among, 0x1000, words({7, 0x2100 + kBias, 7, 0x3000 + kBias}), kBias), second);
  EXPECT_EQ(table.recognise(among, 0x1000, words({7, 0x2100 + kBias, 7, 0x3001 + kBias}), kBias), 0U);
  EXPECT_EQ(table.recognise(among, 0x1000, words({7, 0x2100 + kBias}), kBias), 0U) << "cut short";
  EXPECT_EQ(table.recognise(among, 0x1008, words({9, 0x2000 + kBias, 9, 0x3000 + kBias}), kBias), 0U);
}

TEST(Stacks, ThatAreEqualAreKeptOnce) {
  StackTable table;
  EXPECT_EQ(table.add(64, stack_of(0x2000)), table.add(128, stack_of(0x2000)));
  EXPECT_EQ(table.stacks().size(), 2U);  // and the empty one
  EXPECT_EQ(table.add(64, {}), 0U);
}

// One that ended in the dark depends on words that are not among its return addresses.
TEST(Stacks, ThatWereNotWalkedToTheTopAreNeverRecognised) {
  StackTable table;
  Stack broken = stack_of(0x2000);
  broken.end = UnwindEnd::broken;
  EXPECT_NE(table.add(64, broken), 0U);
  EXPECT_EQ(table.candidates(0x1000, 64), nullptr);
}

TEST(Stacks, AreHeldWithinBounds) {
  StackTable table;
  for (std::uint64_t i = 1; i <= 200'000; ++i) table.add(64, stack_of(0x100000 + i));
  EXPECT_TRUE(table.full());
  EXPECT_LE(table.stacks().size(), 100'000U);
  EXPECT_EQ(table.add(64, stack_of(0x2000)), 0U);
  table.reset();
  EXPECT_NE(table.add(64, stack_of(0x2000)), 0U);
}

TEST(GStructs, ThatLieAreNotPlausible) {
  RawGoroutine good;
  good.goid = 1;
  good.status = GStatus::waiting;
  good.stack_lo = kStack;
  good.stack_hi = kStack + 0x2000;
  good.sched_sp = kStack + 8;
  EXPECT_TRUE(plausible(good));
  const auto broken = [&](auto change) {
    RawGoroutine g = good;
    change(g);
    return plausible(g);
  };
  EXPECT_FALSE(broken([](RawGoroutine& g) { g.goid = 0; }));
  EXPECT_FALSE(broken([](RawGoroutine& g) { g.goid = ~0ULL; }));
  EXPECT_FALSE(broken([](RawGoroutine& g) { g.status = static_cast<GStatus>(77); }));
  EXPECT_FALSE(broken([](RawGoroutine& g) { g.stack_hi = g.stack_lo; }));
  EXPECT_FALSE(broken([](RawGoroutine& g) { g.stack_hi = ~0ULL; }));
  EXPECT_FALSE(broken([](RawGoroutine& g) { g.sched_sp = g.stack_hi + 8; }));
}

TEST(Channels, AreFollowedFromTheGoroutineThatWaitsOnThem) {
  constexpr std::uint64_t kSudog = 0xc000200000;
  constexpr std::uint64_t kChannel = 0xc000300000;
  FakeMemory memory;
  memory.map(kSudog, layout().sudog.size);
  memory.map(kChannel, layout().hchan.size);
  memory.put(kSudog + layout().sudog.g, kG);
  memory.put(kSudog + layout().sudog.c, kChannel);
  memory.put(kChannel + layout().hchan.qcount, std::uint64_t{3});
  memory.put(kChannel + layout().hchan.dataqsiz, std::uint64_t{4});
  RawGoroutine sender;
  sender.address = kG;
  sender.status = GStatus::waiting;
  sender.waiting = kSudog;
  for (std::uint8_t reason = 0; layout().wait_reason(reason) != "chan send"; ++reason) sender.wait_reason = reason + 1;
  RawGoroutine other = sender;  // points at a sudog that belongs to somebody else by now
  other.address = kG + 0x400;
  RawGoroutine sleeper = sender;
  sleeper.wait_reason = 0;
  ChannelReader reader(layout());
  const auto channels = reader.read(memory, std::vector{sender, other, sleeper});
  ASSERT_TRUE(channels);
  ASSERT_TRUE((*channels)[0]);
  EXPECT_EQ((*channels)[0]->address, kChannel);
  EXPECT_EQ((*channels)[0]->length, 3U);
  EXPECT_EQ((*channels)[0]->capacity, 4U);
  EXPECT_FALSE((*channels)[1]);
  EXPECT_FALSE((*channels)[2]);

  memory.put(kChannel + layout().hchan.qcount, std::uint64_t{9});  // more than fits: no channel
  EXPECT_FALSE((*reader.read(memory, std::vector{sender}))[0]);
}

TEST(Channels, AreLookedAtWhereTheyWereSeen) {
  constexpr std::uint64_t kModule = 0x600000;
  constexpr std::uint64_t kTypes = 0x500000;
  constexpr std::uint64_t kChannel = 0xc000300000;
  const auto& hchan = layout().hchan;
  FakeMemory memory;
  memory.map(kModule, layout().moduledata.size);
  memory.put(kModule + layout().moduledata.types, kTypes);
  memory.put(kModule + layout().moduledata.etypes, kTypes + 0x1000);
  memory.map(kTypes, 0x1000);
  memory.map(kChannel, hchan.size);
  memory.put(kChannel + hchan.qcount, std::uint64_t{4});
  memory.put(kChannel + hchan.dataqsiz, std::uint64_t{4});
  memory.put(kChannel + hchan.elemtype, kTypes + 0x40);
  memory.put(kChannel + hchan.recvx, std::uint64_t{3});
  memory.put(kChannel + hchan.sendq_first, std::uint64_t{0xc000200000});
  const std::vector<std::uint64_t> addresses{0xdeadbeef, kChannel};
  const auto look = [&] { return look_at_channels(memory, layout(), kModule, addresses); };
  ASSERT_EQ(look().size(), 1U);
  EXPECT_EQ(look()[0].channel.address, kChannel);
  EXPECT_EQ(look()[0].channel.length, 4U);
  EXPECT_EQ(look()[0].channel.capacity, 4U);
  EXPECT_EQ(look()[0].receive_index, 3U);
  EXPECT_TRUE(look()[0].senders);
  EXPECT_FALSE(look()[0].receivers);

  memory.put(kChannel + hchan.recvx, std::uint64_t{5});  // beyond the buffer
  EXPECT_TRUE(look().empty());
  memory.put(kChannel + hchan.recvx, std::uint64_t{0});
  memory.put(kChannel + hchan.elemtype, kTypes + 0x1000);  // no type
  EXPECT_TRUE(look().empty());
}

class Unwinding : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kPark = PclntabFixture::kText;  // main.main is a top frame

  UnwindEnd walk(std::uint64_t bias = 0, std::size_t max_frames = 100) {
    frames_.clear();
    StackBytes stack{.base = kStack, .bytes = {}, .end = kStack + 0x100};
    return unwind(functions_, memory_, stack, {kPark + 0x20 + bias, kStack, bias}, max_frames, frames_);
  }

  target::Pclntab functions_ = *target::Pclntab::parse(PclntabFixture::bytes(), PclntabFixture::kText);
  FakeMemory memory_;
  std::vector<StackFrame> frames_;
};

TEST_F(Unwinding, GoesUpBySizeOfFrame) {
  memory_.map(kStack, 0x100);
  memory_.put(kStack + 24, kPark + 0x21);  // return address of the first frame, whose depth here is 24
  memory_.put(kStack + 24 + 8 + 24, std::uint64_t{0});
  EXPECT_EQ(walk(), UnwindEnd::top);
  ASSERT_EQ(frames_.size(), 2U);
  EXPECT_EQ(frames_[0].symbol_pc, kPark + 0x1f);
  EXPECT_EQ(frames_[1].pc, kPark + 0x21);
}

TEST_F(Unwinding, WorksAtAnyLoadAddress) {
  constexpr std::uint64_t kBias = 0x555555000000;
  memory_.map(kStack, 0x100);
  memory_.put(kStack + 24, kPark + 0x21 + kBias);
  EXPECT_EQ(walk(kBias), UnwindEnd::top);
  EXPECT_EQ(frames_[1].pc, kPark + 0x21);
}

TEST_F(Unwinding, StopsAtWhatIsNoCode) {
  memory_.map(kStack, 0x100);
  memory_.put(kStack + 24, std::uint64_t{0xdeadbeef});
  EXPECT_EQ(walk(), UnwindEnd::broken);
  EXPECT_EQ(frames_.size(), 1U);
}

TEST_F(Unwinding, EndsOnAStackThatCallsItselfForEver) {
  memory_.map(kStack, 0x100);
  for (std::uint64_t at = 24; at <= 0xf8; at += 32) memory_.put(kStack + at, kPark + 0x20);
  EXPECT_EQ(walk(), UnwindEnd::broken);  // the stack ends
  EXPECT_EQ(walk(0, 3), UnwindEnd::too_deep);
  EXPECT_EQ(frames_.size(), 3U);
}

TEST_F(Unwinding, GivesUpWhereTheStackIsNotMapped) { EXPECT_EQ(walk(), UnwindEnd::broken); }

TEST(ProcessMemory, ReadsWhatIsThereAroundWhatIsNot) {
  const std::string text = "this very process";
  std::vector<std::uint8_t> first(4);
  std::vector<std::uint8_t> nothing(4);
  std::vector<std::uint8_t> last(4);
  const auto address = reinterpret_cast<std::uint64_t>(text.data());
  std::vector<ReadRequest> requests{{address, first, false}, {8, nothing, false}, {address + 5, last, false}};
  const ProcessMemory memory(::getpid());
  ASSERT_TRUE(memory.read(requests));
  EXPECT_TRUE(requests[0].done);
  EXPECT_FALSE(requests[1].done);
  EXPECT_TRUE(requests[2].done);
  EXPECT_EQ(std::string(first.begin(), first.end()), "this");
  EXPECT_EQ(std::string(last.begin(), last.end()), "very");
}

TEST(ProcessMemory, SaysThatTheProcessIsGone) {
  std::vector<std::uint8_t> bytes(4);
  const auto result = ProcessMemory(0x3fffffff).read(4096, bytes);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind(), ErrorKind::gone);
}

}  // namespace
}  // namespace goleakd::snapshot
