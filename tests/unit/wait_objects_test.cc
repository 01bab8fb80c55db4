// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "fake_memory.h"
#include "snapshot/channel_waits.h"
#include "snapshot/labels.h"
#include "snapshot/lock_state.h"
#include "snapshot/notify_list.h"
#include "snapshot/page_cache.h"
#include "snapshot/poll_descriptor.h"
#include "snapshot/semaphore_site.h"
#include "snapshot/semaphores.h"
#include "snapshot/sudog.h"
#include "snapshot/type_names.h"

namespace goleakd::snapshot {
namespace {

constexpr std::uint64_t kG = 0xc000000000;
constexpr std::uint64_t kStack = 0xc000100000;
constexpr std::uint64_t kSudog = 0xc000200000;
constexpr std::uint64_t kChannel = 0xc000300000;

const target::Layout& layout_of(const char* version) {
  static std::vector<target::LayoutChoice> kept;
  kept.push_back(*target::layout_for(*target::GoVersion::parse(version), false));
  return *kept.back().layout;
}
const target::Layout& layout() {
  static const target::Layout& go124 = layout_of("go1.24.4");
  return go124;
}

// A heap with the runtime's structs in it, each in a slot of its own.
class Heap : public FakeMemory {
 public:
  Heap() {
    map(kSudog, kSlot * 4096);
    map(kChannel, kSlot * 64);
  }
  static constexpr std::uint64_t kSlot = 0x100;
  static std::uint64_t g(std::uint64_t number) { return kG + number * 0x1000; }
  static std::uint64_t sudog(std::uint64_t number) { return kSudog + number * kSlot; }
  static std::uint64_t channel(std::uint64_t number) { return kChannel + number * kSlot; }

  void put_sudog(const Sudog& sudog) {
    const target::SudogLayout& l = layout().sudog;
    put(sudog.address + l.g, sudog.g);
    put(sudog.address + l.next, sudog.next);
    put(sudog.address + l.prev, sudog.prev);
    put(sudog.address + l.elem, sudog.elem);
    put(sudog.address + l.waitlink, sudog.waitlink);
    put(sudog.address + l.c, sudog.c);
    put(sudog.address + l.is_select, std::uint8_t{sudog.is_select});
  }
  void put_channel(std::uint64_t address, std::uint64_t length, std::uint64_t capacity, std::uint64_t receivers,
                   std::uint64_t senders) {
    put(address + layout().hchan.qcount, length);
    put(address + layout().hchan.dataqsiz, capacity);
    put(address + layout().hchan.elemtype, std::uint64_t{0x500000});
    put(address + layout().hchan.recvq_first, receivers);
    put(address + layout().hchan.sendq_first, senders);
  }
  void put_text(std::uint64_t address, const std::string& text) {
    map(address, text.size());
    for (std::size_t i = 0; i < text.size(); ++i) put(address + i, text[i]);
  }
};

RawGoroutine blocked(std::uint64_t number, std::uint64_t waiting = 0) {
  RawGoroutine g;
  g.address = Heap::g(number);
  g.goid = number + 1;
  g.status = GStatus::waiting;
  g.waiting = waiting;
  g.stack_lo = kStack + number * 0x1000;
  g.stack_hi = g.stack_lo + 0x1000;
  g.sched_sp = g.stack_hi - 0x100;
  return g;
}

TEST(WaitKind, IsToldByTheTextOfTheReason) {
  EXPECT_EQ(wait_kind("chan receive"), WaitKind::channel_receive);
  EXPECT_EQ(wait_kind("select (synctest)"), WaitKind::select);
  EXPECT_EQ(wait_kind("chan send (durable)"), WaitKind::channel_send);
  EXPECT_EQ(wait_kind("chan receive (nil chan)"), WaitKind::none);
  EXPECT_EQ(wait_kind("select (no cases)"), WaitKind::none);
  EXPECT_EQ(wait_kind("GC worker (idle)"), WaitKind::none);
  EXPECT_TRUE(on_semaphore(wait_kind("semacquire")));
  EXPECT_TRUE(on_semaphore(wait_kind("sync.RWMutex.RLock")));
  EXPECT_FALSE(on_semaphore(wait_kind("sync.Cond.Wait")));
}

// --- Channels --------------------------------------------------------------------------------------------------------

ChannelWaits waits_of(const Memory& memory, const std::vector<RawGoroutine>& goroutines,
                      const std::vector<WaitKind>& kinds) {
  return read_channel_waits(memory, layout(), goroutines, kinds);
}

TEST(ChannelWaits, TellTheSidesOfASelectByTheQueuesItIsIn) {
  Heap heap;
  // Goroutine 0 receives from channel 0; goroutine 1 selects: receive from 0, send to 1.
  heap.put_sudog({.address = Heap::sudog(0), .g = Heap::g(0), .next = Heap::sudog(1), .c = Heap::channel(0)});
  heap.put_sudog({.address = Heap::sudog(1),
                  .g = Heap::g(1),
                  .prev = Heap::sudog(0),
                  .waitlink = Heap::sudog(2),
                  .c = Heap::channel(0),
                  .is_select = true});
  heap.put_sudog({.address = Heap::sudog(2), .g = Heap::g(1), .c = Heap::channel(1), .is_select = true});
  heap.put_channel(Heap::channel(0), 0, 0, Heap::sudog(0), 0);
  heap.put_channel(Heap::channel(1), 4, 4, 0, Heap::sudog(2));
  const auto waits = waits_of(heap, {blocked(0, Heap::sudog(0)), blocked(1, Heap::sudog(1))},
                              {WaitKind::channel_receive, WaitKind::select});
  ASSERT_EQ(waits.channels.size(), 2U);
  EXPECT_EQ(waits.channels[0].receivers, 2U);
  EXPECT_EQ(waits.channels[0].senders, 0U);
  EXPECT_EQ(waits.channels[1].senders, 1U);
  EXPECT_EQ(waits.channels[1].channel.length, 4U);
  EXPECT_EQ(waits.channels[1].element_type, 0x500000U);
  ASSERT_EQ(waits.uses.size(), 3U);
  EXPECT_EQ(waits.uses[1].goroutine, 1U);
  EXPECT_EQ(waits.uses[1].side, ChannelSide::receive);
  EXPECT_EQ(waits.uses[2].channel, 1U);
  EXPECT_EQ(waits.uses[2].side, ChannelSide::send);
}

TEST(ChannelWaits, CountGoroutinesThatAreNotInTheSnapshot) {
  Heap heap;
  for (std::uint64_t i = 0; i < 50; ++i) {
    heap.put_sudog(
        {.address = Heap::sudog(i), .g = Heap::g(i), .next = i < 49 ? Heap::sudog(i + 1) : 0, .c = Heap::channel(0)});
  }
  heap.put_channel(Heap::channel(0), 0, 0, 0, Heap::sudog(0));
  const auto waits = waits_of(heap, {blocked(20, Heap::sudog(20))}, {WaitKind::channel_send});
  ASSERT_EQ(waits.channels.size(), 1U);
  EXPECT_EQ(waits.channels[0].senders, 50U);
  EXPECT_FALSE(waits.channels[0].more);
}

TEST(ChannelWaits, SayWhereMoreAreQueuedThanWereCounted) {
  Heap heap;
  constexpr std::uint64_t kCrowd = 0xc100000000;
  constexpr std::uint64_t kCount = 10'000;
  heap.map(kCrowd, kCount * Heap::kSlot);
  for (std::uint64_t i = 0; i < kCount; ++i) {
    const std::uint64_t next = i + 1 < kCount ? kCrowd + (i + 1) * Heap::kSlot : 0;
    heap.put_sudog({.address = kCrowd + i * Heap::kSlot, .g = Heap::g(i), .next = next, .c = Heap::channel(0)});
  }
  heap.put_channel(Heap::channel(0), 0, 0, kCrowd, 0);
  const auto waits = waits_of(heap, {blocked(0, kCrowd)}, {WaitKind::channel_receive});
  ASSERT_EQ(waits.channels.size(), 1U);
  EXPECT_TRUE(waits.channels[0].more);
  EXPECT_GT(waits.channels[0].receivers, 1000U);
  EXPECT_LT(waits.channels[0].receivers, kCount);
}

TEST(ChannelWaits, EndWhereQueuesAndListsGoInCircles) {
  Heap heap;
  heap.put_sudog({.address = Heap::sudog(0), .g = Heap::g(0), .next = Heap::sudog(0), .c = Heap::channel(0)});
  // A select whose list leads back to its middle, and one that leads back to its beginning.
  for (const std::uint64_t first : {1U, 4U}) {
    for (std::uint64_t i = first; i < first + 3; ++i) {
      const std::uint64_t back = first == 1 ? first + 1 : first;
      heap.put_sudog({.address = Heap::sudog(i),
                      .g = Heap::g(first),
                      .next = Heap::sudog(i),
                      .waitlink = Heap::sudog(i < first + 2 ? i + 1 : back),
                      .c = Heap::channel(0),
                      .is_select = true});
    }
  }
  heap.put_channel(Heap::channel(0), 0, 0, Heap::sudog(0), Heap::sudog(0));
  const auto waits =
      waits_of(heap, {blocked(0, Heap::sudog(0)), blocked(1, Heap::sudog(1)), blocked(4, Heap::sudog(4))},
               {WaitKind::channel_receive, WaitKind::select, WaitKind::select});
  ASSERT_EQ(waits.uses.size(), 1U);
  EXPECT_EQ(waits.channels[0].receivers + waits.channels[0].senders, 1U);
}

TEST(ChannelWaits, LeaveOutWhatLies) {
  Heap heap;
  heap.put_sudog({.address = Heap::sudog(0), .g = Heap::g(7), .c = Heap::channel(0)});  // somebody else's by now
  heap.put_sudog({.address = Heap::sudog(1), .g = Heap::g(1), .c = Heap::channel(1)});
  heap.put_sudog({.address = Heap::sudog(2), .g = Heap::g(2), .c = 0x1234567});  // not mapped
  heap.put_channel(Heap::channel(0), 0, 0, 0, 0);
  heap.put_channel(Heap::channel(1), 9, 4, 0, 0);  // longer than its capacity
  const auto waits = waits_of(heap,
                              {blocked(0, Heap::sudog(0)), blocked(1, Heap::sudog(1)), blocked(2, Heap::sudog(2)),
                               blocked(3, 0x7654321), blocked(4)},
                              std::vector<WaitKind>(5, WaitKind::channel_receive));
  EXPECT_TRUE(waits.uses.empty());
  EXPECT_TRUE(waits.channels.empty());
}

TEST(ChannelWaits, AreOnNoSideWhenTheirSudogHasLeftTheQueue) {
  Heap heap;
  heap.put_sudog({.address = Heap::sudog(0), .g = Heap::g(0), .c = Heap::channel(0), .is_select = true});
  heap.put_sudog({.address = Heap::sudog(9), .g = Heap::g(9), .c = Heap::channel(5)});  // of another channel
  heap.put_channel(Heap::channel(0), 0, 0, Heap::sudog(9), 0);
  const auto waits = waits_of(heap, {blocked(0, Heap::sudog(0))}, {WaitKind::select});
  ASSERT_EQ(waits.uses.size(), 1U);
  EXPECT_EQ(waits.uses[0].side, ChannelSide::unknown);
  EXPECT_EQ(waits.channels[0].receivers, 0U);
}

// --- Semaphores ------------------------------------------------------------------------------------------------------

class Semtable : public Heap {
 public:
  static constexpr std::uint64_t kTable = 0x600000;
  static constexpr std::uint64_t kRoots = 251;
  Semtable() { map(kTable, kRoots * layout().sema_root.table_entry); }
  static std::uint64_t root_of(std::uint64_t semaphore) { return semaphore / 8 % kRoots; }
  void put_tree(std::uint64_t root, std::uint64_t top) {
    put(kTable + root * layout().sema_root.table_entry + layout().sema_root.treap, top);
  }
  auto waiters(std::unordered_set<std::uint64_t> sought = {}) const {
    PageCache pages(*this);
    return read_semaphore_waiters(*this, pages, layout(), kTable, std::move(sought));
  }
};

TEST(Semaphores, AreFoundInTreesAndTheirLists) {
  Semtable heap;
  constexpr std::uint64_t kOne = 0xc000400000;
  constexpr std::uint64_t kTwo = kOne + 8 * Semtable::kRoots;  // the same root
  const std::uint64_t root = Semtable::root_of(kOne);
  heap.put_tree(root, Heap::sudog(0));
  heap.put_sudog(
      {.address = Heap::sudog(0), .g = Heap::g(0), .next = Heap::sudog(1), .elem = kOne, .waitlink = Heap::sudog(2)});
  heap.put_sudog({.address = Heap::sudog(1), .g = Heap::g(1), .elem = kTwo});
  heap.put_sudog({.address = Heap::sudog(2), .g = Heap::g(2), .elem = kOne, .waitlink = Heap::sudog(3)});
  heap.put_sudog({.address = Heap::sudog(3), .g = Heap::g(3), .elem = kOne});
  const auto waiters = heap.waiters();
  EXPECT_EQ(waiters.size(), 4U);
  EXPECT_EQ(waiters.at(Heap::g(0)), kOne);
  EXPECT_EQ(waiters.at(Heap::g(1)), kTwo);
  EXPECT_EQ(waiters.at(Heap::g(3)), kOne);
}

TEST(Semaphores, OfTreesThatLieEndAndAreLeftOut) {
  Semtable heap;
  constexpr std::uint64_t kOne = 0xc000400000;
  const std::uint64_t root = Semtable::root_of(kOne);
  heap.put_tree(root, Heap::sudog(0));
  heap.put_sudog({.address = Heap::sudog(0),
                  .g = Heap::g(0),
                  .next = Heap::sudog(0),
                  .prev = Heap::sudog(1),
                  .elem = kOne,
                  .waitlink = Heap::sudog(0)});
  heap.put_sudog({.address = Heap::sudog(1), .g = Heap::g(1), .next = Heap::sudog(0), .elem = kOne + 8});  // wrong root
  heap.put_tree(root + 1, 0x123);                                                                          // not mapped
  EXPECT_EQ(heap.waiters().size(), 1U);
}

TEST(Semaphores, WithManyWaitersAreReadPageByPage) {
  class Counting : public Semtable {
   public:
    using Memory::read;
    Result<void> read(std::uint64_t address, std::span<std::uint8_t> into) const override {
      ++reads;
      return FakeMemory::read(address, into);
    }
    mutable std::size_t reads = 0;
  } heap;
  constexpr std::uint64_t kSemaphore = 0xc000400000;
  constexpr std::uint64_t kCrowd = 0xc100000000;
  constexpr std::uint64_t kSize = 96;  // the size class of a sudog
  constexpr std::uint64_t kCount = 100'000;
  heap.map(kCrowd, kCount * kSize);
  for (std::uint64_t i = 0; i < kCount; ++i) {
    heap.put_sudog({.address = kCrowd + i * kSize,
                    .g = Heap::g(i),
                    .elem = kSemaphore,
                    .waitlink = i + 1 < kCount ? kCrowd + (i + 1) * kSize : 0});
  }
  heap.put_tree(Semtable::root_of(kSemaphore), kCrowd);
  EXPECT_EQ(heap.waiters().size(), kCount);
  EXPECT_LT(heap.reads, 4'000U);

  heap.reads = 0;
  const auto few = heap.waiters({Heap::g(3), Heap::g(500)});
  EXPECT_EQ(few.at(Heap::g(500)), kSemaphore);
  EXPECT_EQ(few.size(), 501U) << "there it ends";
  EXPECT_LT(heap.reads, 20U);
}

TEST(PageCache, GivesUpWhenTooMuchIsAsked) {
  FakeMemory memory;
  memory.map(0x10000000, 8192);
  PageCache pages(memory);
  ASSERT_EQ(pages.read(0x10000010, 16).size(), 16U);
  EXPECT_TRUE(pages.read(0x10001ff8, 16).empty());  // half of it is not mapped
  for (std::uint64_t i = 1; i < 100'000; ++i) EXPECT_TRUE(pages.read(0x10000000 + i * 8192, 8).empty());
  memory.map(0x90000000, 8192);
  EXPECT_TRUE(pages.read(0x90000000, 8).empty());
  EXPECT_EQ(pages.read(0x10000010, 16).size(), 16U);  // known already
}

using Names = std::vector<std::string_view>;

TEST(SemaphoreSite, IsToldByTheFunctions) {
  const auto site = [](const Names& names) { return semaphore_site(names, WaitKind::semaphore); };
  EXPECT_EQ(site({"runtime.gopark", "runtime.goparkunlock", "runtime.semacquire1", "sync.runtime_SemacquireMutex",
                  "sync.(*Mutex).lockSlow", "sync.(*Mutex).Lock", "main.f"})
                .kind,
            WaitKind::mutex);
  EXPECT_EQ(site({"runtime.semacquire1", "internal/sync.runtime_SemacquireMutex", "internal/sync.(*Mutex).lockSlow",
                  "internal/sync.(*Mutex).Lock", "sync.(*Mutex).Lock", "main.f"})
                .kind,
            WaitKind::mutex);
  const auto behind = site({"runtime.semacquire1", "sync.runtime_SemacquireMutex", "sync.(*Mutex).lockSlow",
                            "sync.(*Mutex).Lock", "sync.(*RWMutex).Lock", "main.f"});
  EXPECT_EQ(behind.kind, WaitKind::rw_mutex_write);
  EXPECT_TRUE(behind.behind_writer);
  const auto writer = site({"runtime.semacquire1", "sync.runtime_SemacquireRWMutex", "sync.(*RWMutex).Lock"});
  EXPECT_EQ(writer.kind, WaitKind::rw_mutex_write);
  EXPECT_FALSE(writer.behind_writer);
  EXPECT_EQ(site({"sync.runtime_SemacquireRWMutexR", "sync.(*RWMutex).RLock", "sync.(*rlocker).Lock"}).kind,
            WaitKind::rw_mutex_read);
  EXPECT_EQ(site({"sync.runtime_Semacquire", "sync.(*WaitGroup).Wait"}).kind, WaitKind::wait_group);
  EXPECT_EQ(site({"internal/poll.runtime_Semacquire", "internal/poll.(*fdMutex).rwlock"}).kind, WaitKind::semaphore);
  EXPECT_EQ(semaphore_site({}, WaitKind::mutex).kind, WaitKind::mutex);  // no frames
}

std::vector<std::uint8_t> zeros(std::size_t size) { return std::vector<std::uint8_t>(size); }
template <typename T>
void put(std::vector<std::uint8_t>& bytes, std::size_t offset, T value) {
  ASSERT_LE(offset + sizeof(T), bytes.size());
  std::memcpy(bytes.data() + offset, &value, sizeof(T));
}

TEST(LockState, IsDecodedByTheLayoutOfEachVersion) {
  for (const char* version : {"go1.19.8", "go1.22.12", "go1.24.4", "go1.27.4"}) {
    const target::Layout& l = layout_of(version);
    auto bytes = zeros(l.mutex.size);
    put(bytes, l.mutex.state, std::uint32_t{5U << 3U | 4U | 1U});
    const auto mutex = decode_mutex(bytes, l.mutex);
    ASSERT_TRUE(mutex) << version;
    EXPECT_TRUE(mutex->locked && mutex->starving && !mutex->woken);
    EXPECT_EQ(mutex->waiters, 5U);

    bytes = zeros(l.rw_mutex.size);
    put(bytes, l.mutex.state, std::uint32_t{2U << 3U | 1U});
    put(bytes, l.rw_mutex.reader_count, std::int32_t{3 - (1 << 30)});
    put(bytes, l.rw_mutex.reader_wait, std::int32_t{2});
    const auto rw = decode_rw_mutex(bytes, l.rw_mutex, l.mutex);
    ASSERT_TRUE(rw) << version;
    EXPECT_TRUE(rw->writer);
    EXPECT_EQ(rw->readers, 3U);
    EXPECT_EQ(rw->readers_left, 2U);
    EXPECT_EQ(rw->writers_behind, 2U);
    put(bytes, l.rw_mutex.reader_wait, std::int32_t{-1});
    EXPECT_FALSE(decode_rw_mutex(bytes, l.rw_mutex, l.mutex)) << version;

    bytes = zeros(l.wait_group.size);
    put(bytes, l.wait_group.state, std::uint64_t{7} << 32U | 0x80000000U | 2U);
    const auto group = decode_wait_group(bytes, l.wait_group);
    ASSERT_TRUE(group) << version;
    EXPECT_EQ(group->counter, 7);
    EXPECT_EQ(group->waiters, 2U);
  }
  EXPECT_FALSE(decode_mutex({}, layout().mutex));
  EXPECT_FALSE(decode_wait_group({}, layout().wait_group));
}

// --- What only frames name -------------------------------------------------------------------------------------------

class Frames : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kObject = 0xc000500000;

  Frames() { heap_.map(kObject, 0x1000); }

  RawGoroutine& add(std::uint64_t number) {
    goroutines_.push_back(blocked(number));
    heap_.map(goroutines_.back().stack_lo, 0x1000);
    return goroutines_.back();
  }
  void put_word(const RawGoroutine& g, std::uint64_t offset, std::uint64_t word) {
    heap_.put(g.sched_sp + offset, word);
  }
  std::vector<Sought> sought() const {
    std::vector<Sought> all;
    for (const RawGoroutine& g : goroutines_) all.push_back({&g, 1});
    return all;
  }

  void put_list(std::uint64_t cond, std::uint32_t wait, std::uint32_t notify, std::uint64_t head, std::uint64_t tail) {
    const target::NotifyListLayout& l = layout().notify_list;
    const std::uint64_t list = cond + layout().cond.notify;
    heap_.put(list + l.wait, wait);
    heap_.put(list + l.notify, notify);
    heap_.put(list + l.head, head);
    heap_.put(list + l.tail, tail);
  }
  std::vector<std::uint64_t> conds() { return find_conds(heap_, layout(), sought()); }

  void put_poll(std::uint64_t address, std::uint64_t fd, std::uint64_t reader, std::uint64_t writer) {
    heap_.put(address + layout().poll_desc.fd, fd);
    heap_.put(address + layout().poll_desc.rg, reader);
    heap_.put(address + layout().poll_desc.wg, writer);
  }
  std::vector<PollDescriptor> polls() { return find_poll_descriptors(heap_, layout(), sought()); }

  Heap heap_;
  std::vector<RawGoroutine> goroutines_;
};

TEST_F(Frames, NameACondWhenItsListHoldsTheGoroutine) {
  goroutines_.reserve(3);
  for (std::uint64_t i = 0; i < 3; ++i) {
    put_word(add(i), 0x40, kObject + 0x100);  // a decoy
    put_word(goroutines_.back(), 0x48, kObject);
    heap_.put_sudog({.address = Heap::sudog(i), .g = Heap::g(i), .next = i < 2 ? Heap::sudog(i + 1) : 0});
  }
  put_list(kObject, 0xffffffff + 4U, 0xffffffff + 1U, Heap::sudog(0), Heap::sudog(2));  // tickets that wrap around
  EXPECT_EQ(conds(), std::vector<std::uint64_t>(3, kObject));
  put_list(kObject, 9, 4, Heap::sudog(0), Heap::sudog(2));
  std::vector<std::uint8_t> list(layout().notify_list.size);
  ASSERT_TRUE(heap_.read(kObject + layout().cond.notify, list));
  EXPECT_EQ(decode_notify_list(list, layout().notify_list), 5U);
}

TEST_F(Frames, NameNoCondWhoseListLies) {
  put_word(add(0), 0x40, kObject);
  heap_.put_sudog({.address = Heap::sudog(0), .g = Heap::g(0)});
  put_list(kObject, 1, 0, Heap::sudog(0), Heap::sudog(5));  // does not end at its tail
  EXPECT_EQ(conds().front(), 0U);
  put_list(kObject, 0, 0, Heap::sudog(0), Heap::sudog(0));  // nobody waits
  EXPECT_EQ(conds().front(), 0U);
  heap_.put_sudog({.address = Heap::sudog(0), .g = Heap::g(0), .next = Heap::sudog(0)});  // a circle
  put_list(kObject, 0xffffffff, 0, Heap::sudog(0), Heap::sudog(0));
  EXPECT_EQ(conds().front(), 0U);
  heap_.put_sudog({.address = Heap::sudog(0), .g = Heap::g(8)});  // holds somebody else
  put_list(kObject, 1, 0, Heap::sudog(0), Heap::sudog(0));
  EXPECT_EQ(conds().front(), 0U);
  heap_.put_sudog({.address = Heap::sudog(0), .g = Heap::g(0), .c = Heap::channel(0)});  // waits on a channel
  EXPECT_EQ(conds().front(), 0U);
  heap_.put_sudog({.address = Heap::sudog(0), .g = Heap::g(0)});
  EXPECT_EQ(conds().front(), kObject);  // and this is how it would be right
}

TEST_F(Frames, NameTheDescriptorThatNamesTheGoroutine) {
  goroutines_.reserve(3);
  for (std::uint64_t i = 0; i < 3; ++i) put_word(add(i), 0x80 + 8 * i, kObject + 0x100 * i);  // not all at one place
  put_poll(kObject, 5, Heap::g(0), 0);
  put_poll(kObject + 0x100, 6, 2, Heap::g(1));
  put_poll(kObject + 0x200, 7, Heap::g(9), 1);  // somebody else's
  const auto found = polls();
  EXPECT_EQ(found[0].address, kObject);
  EXPECT_EQ(found[0].fd, 5U);
  EXPECT_FALSE(found[0].write);
  EXPECT_EQ(found[1].address, kObject + 0x100);
  EXPECT_TRUE(found[1].write);
  EXPECT_EQ(found[2].address, 0U);
}

TEST_F(Frames, NameNoDescriptorInTheOwnStackNorWithAnImpossibleNumber) {
  const RawGoroutine& g = add(0);
  put_word(g, 0x10, g.stack_lo);  // where words may well hold the g
  put_poll(g.stack_lo, 5, g.address, 0);
  put_word(g, 0x18, kObject);
  put_poll(kObject, 1ULL << 40U, g.address, 0);
  put_word(g, 0x20, kObject + 0x101);  // not aligned
  put_word(g, 0x28, ~std::uint64_t{7});
  EXPECT_EQ(polls().front().address, 0U);
}

// --- Types and labels ------------------------------------------------------------------------------------------------

class Types : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kModule = 0x600000;
  static constexpr std::uint64_t kTypes = 0x700000;
  static constexpr std::uint64_t kType = kTypes + 0x100;

  Types() {
    memory_.map(kModule, layout().moduledata.size);
    memory_.put(kModule + layout().moduledata.types, kTypes);
    memory_.put(kModule + layout().moduledata.etypes, kTypes + 0x2000);
    memory_.map(kTypes, 0x2000);
  }
  void put_type(std::int32_t name, std::uint8_t flags) {
    memory_.put(kType + layout().type.str, name);
    memory_.put(kType + layout().type.tflag, flags);
  }
  void put_name(std::uint64_t offset, std::vector<std::uint8_t> length, const std::string& text) {
    std::uint64_t at = kTypes + offset + 1;
    for (const std::uint8_t byte : length) memory_.put(at++, byte);
    for (const char c : text) memory_.put(at++, c);
  }
  std::string name() { return TypeNames(memory_, layout(), kModule).of(kType); }

  FakeMemory memory_;
};

TEST_F(Types, HaveNames) {
  put_name(0x400, {9}, "*main.job");
  put_type(0x400, 2);
  EXPECT_EQ(name(), "main.job");  // its text is that of the pointer to it
  put_type(0x400, 0);
  EXPECT_EQ(name(), "*main.job");
  const std::string text(300, 'x');
  put_name(0x400, {0xac, 0x02}, text);
  EXPECT_EQ(name(), text);
}

TEST_F(Types, HaveNoneWhereMemoryLies) {
  put_name(0x400, {0xff, 0xff, 0x7f}, "too long");
  put_type(0x400, 0);
  EXPECT_EQ(name(), "");
  put_name(0x400, {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80}, "");
  EXPECT_EQ(name(), "");
  put_type(0x7fffffff, 0);
  EXPECT_EQ(name(), "");
  put_type(-5, 0);
  EXPECT_EQ(name(), "");
  put_type(0x1fff, 0);  // ends with the section
  EXPECT_EQ(name(), "");
  EXPECT_EQ(TypeNames(memory_, layout(), kModule).of(0xdeadbeef), "");
  EXPECT_EQ(TypeNames(memory_, layout(), 0).of(kType), "");
  memory_.put(kModule + layout().moduledata.next, kModule);  // a list of modules without end
  EXPECT_EQ(name(), "");
}

class LabelsTest : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kLabels = 0xc000600000;
  static constexpr std::uint64_t kTexts = 0xc000700000;
  static constexpr std::uint32_t kBucket = 272;

  RawGoroutine labelled(std::uint64_t labels) {
    RawGoroutine g = blocked(0);
    g.labels = labels;
    return g;
  }
  void put_string(std::uint64_t at, const std::string& text) {
    heap_.put(at, next_text_);
    heap_.put(at + 8, std::uint64_t{text.size()});
    heap_.put_text(next_text_, text);
    next_text_ += 0x100;
  }
  LabelSet read(int minor) {
    const auto labels = read_labels(heap_, minor, std::vector{labelled(kLabels)});
    return labels.sets[labels.of[0]];
  }

  Heap heap_;
  std::uint64_t next_text_ = kTexts;
};

TEST_F(LabelsTest, AreASliceSinceGo124) {
  heap_.map(kLabels, 24);
  heap_.map(kLabels + 0x1000, 32 * 101);
  heap_.put(kLabels, kLabels + 0x1000);
  heap_.put(kLabels + 8, std::uint64_t{2});
  put_string(kLabels + 0x1000, "tenant");
  put_string(kLabels + 0x1010, "acme");
  put_string(kLabels + 0x1020, "empty");
  put_string(kLabels + 0x1030, "");
  EXPECT_EQ(read(24), (LabelSet{{"empty", ""}, {"tenant", "acme"}}));

  // Goroutines that share labels share what is read.
  const auto labels = read_labels(heap_, 24, std::vector{labelled(kLabels), labelled(0), labelled(kLabels)});
  EXPECT_EQ(labels.of, (std::vector<std::uint32_t>{1, 0, 1}));
  EXPECT_EQ(labels.sets.size(), 2U);

  heap_.put(kLabels + 0x1008, std::uint64_t{1} << 60U);  // a text that can't be
  EXPECT_TRUE(read(24).empty());
  heap_.put(kLabels + 0x1008, std::uint64_t{4097});
  EXPECT_TRUE(read(24).empty());
  heap_.put(kLabels + 8, std::uint64_t{101});
  EXPECT_TRUE(read(24).empty());
  heap_.put(kLabels + 8, ~std::uint64_t{0});
  EXPECT_TRUE(read(24).empty());
}

TEST_F(LabelsTest, WereAMapBefore) {
  constexpr std::uint64_t kMap = kLabels + 0x1000;
  constexpr std::uint64_t kNew = kLabels + 0x2000;
  constexpr std::uint64_t kOld = kLabels + 0x4000;
  constexpr std::uint64_t kMore = kLabels + 0x5000;
  heap_.map(kLabels, 0x6000);
  heap_.put(kLabels, kMap);
  heap_.put(kMap, std::uint64_t{3});  // count
  heap_.put(kMap + 9, std::uint8_t{1});
  heap_.put(kMap + 16, kNew);
  heap_.put(kMap + 24, kOld);  // it is growing
  const auto put_cell = [&](std::uint64_t bucket, unsigned cell, std::uint8_t hash, const std::string& key) {
    heap_.put(bucket + cell, hash);
    put_string(bucket + 8 + 16 * cell, key);
    put_string(bucket + 8 + 128 + 16 * cell, "of " + key);
  };
  put_cell(kNew + kBucket, 7, 200, "moved");
  put_cell(kOld, 0, 2, "moved");  // its old cell: evacuated
  put_cell(kOld, 3, 99, "not yet");
  heap_.put(kOld + kBucket - 8, kMore);
  put_cell(kMore, 1, 5, "overflow");
  const LabelSet all{{"moved", "of moved"}, {"not yet", "of not yet"}, {"overflow", "of overflow"}};
  EXPECT_EQ(read(23), all);
  heap_.put(kMore + kBucket - 8, kMore);  // a chain without end: more cells than the map says
  EXPECT_TRUE(read(23).empty());
  heap_.put(kMore + kBucket - 8, std::uint64_t{0});
  heap_.put(kMap, std::uint64_t{4});
  EXPECT_TRUE(read(23).empty());
  heap_.put(kMap, std::uint64_t{3});
  heap_.put(kMap + 9, std::uint8_t{60});  // 2^60 buckets
  EXPECT_TRUE(read(23).empty());
  heap_.put(kLabels, std::uint64_t{0});
  EXPECT_TRUE(read(19).empty());
}

}  // namespace
}  // namespace goleakd::snapshot
