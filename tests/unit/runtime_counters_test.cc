// SPDX-License-Identifier: Apache-2.0
#include "snapshot/runtime_counters.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>

#include "fake_memory.h"
#include "go_program_fixture.h"

namespace goleakd::snapshot {
namespace {

constexpr std::uint64_t kAllp = GoProgramFixture::kData + 0x900;
constexpr std::uint64_t kSched = 0x610000;
constexpr std::uint64_t kArray = 0xc000000000;
constexpr std::uint64_t kPs = 0xc000100000;
constexpr std::uint64_t kProcs = 3;
const GoProgramFixture::Symbols kSymbols{
    {"runtime.allgs", GoProgramFixture::kAllgs}, {"runtime.allp", kAllp}, {"runtime.sched", kSched}};

// Something happens in the program after that many reads of it.
class ChangingMemory : public FakeMemory {
 public:
  using FakeMemory::read;
  Result<void> read(std::uint64_t address, std::span<std::uint8_t> into) const override {
    if (then && reads_left-- == 0) std::exchange(then, nullptr)();
    return FakeMemory::read(address, into);
  }
  mutable int reads_left = 0;
  mutable std::function<void()> then;
};

// A runtime with three Ps, of which one is no more since GOMAXPROCS was made smaller.
struct Runtime {
  explicit Runtime(const std::string& version, const GoProgramFixture::Symbols& symbols = kSymbols) {
    auto binary = target::GoBinary::open(GoProgramFixture::file(GoProgramFixture::bytes(version, symbols)), "fixture");
    EXPECT_TRUE(binary) << binary.error().message();
    process.binary = *binary;
    memory.map(kAllp, 24);
    put_slice(kArray, kProcs - 1, kProcs);
    memory.map(kArray, 8 * kProcs);
    memory.map(kSched, layout().sched.size);
    put_sched(layout().sched.goidgen, 1000);
    for (std::uint32_t i = 0; i < kProcs; ++i) {
      memory.put(kArray + 8 * i, p(i));
      memory.map(p(i), layout().p.size);
      memory.put(p(i) + layout().p.id, i);
    }
  }
  const target::Layout& layout() const { return process.binary->layout(); }
  static std::uint64_t p(std::uint64_t i) { return kPs + i * 0x10000; }

  void put_slice(std::uint64_t data, std::uint64_t length, std::uint64_t capacity) {
    memory.put(kAllp, data);
    memory.put(kAllp + 8, length);
    memory.put(kAllp + 16, capacity);
  }
  void put_sched(std::uint32_t field, std::uint64_t value) { memory.put(kSched + field, value); }
  void put_ids(std::uint64_t i, std::uint64_t next, std::uint64_t end) {
    memory.put(p(i) + layout().p.goidcache, next);
    memory.put(p(i) + layout().p.goidcacheend, end);
  }
  void put_created(std::uint64_t i, std::uint64_t count) { memory.put(p(i) + layout().p.goroutines_created, count); }
  void put_count(std::uint64_t word, std::uint64_t count) {
    memory.put(kSched + layout().sched.time_to_run + 8 * word, count);
  }

  Result<RuntimeCounters> read() const { return read_runtime_counters(process, memory); }
  std::string error() const {
    const auto counters = read();
    return counters ? "" : counters.error().message();
  }

  target::GoProcess process;
  ChangingMemory memory;
};

TEST(SpawnCounter, IsTheRuntimesOwnSinceGo126) {
  Runtime runtime("go1.26.1");
  runtime.put_sched(runtime.layout().sched.goroutines_created, 100);
  runtime.put_created(0, 20);
  runtime.put_created(1, 3);
  runtime.put_ids(0, 7, 4711);  // does not matter
  EXPECT_EQ(runtime.read()->spawned, 123U);
}

TEST(SpawnCounter, IsOfIdsBefore) {
  for (const char* version : {"go1.19.8", "go1.24.4", "go1.25.1"}) {
    Runtime runtime(version);
    runtime.put_ids(0, 995, 1001);  // six are left
    runtime.put_ids(1, 985, 985);
    runtime.put_ids(2, 954, 969);  // of the P that is no more
    EXPECT_EQ(runtime.read()->spawned, 1000U - 6 - 15) << version;
  }
}

TEST(SpawnCounter, IsOfIdsWhereTheLayoutIsOfAnotherVersion) {
  Runtime runtime("go1.99");
  runtime.put_ids(0, 995, 1001);
  const auto counters = runtime.read();
  ASSERT_TRUE(counters);
  EXPECT_EQ(counters->spawned, 994U);
  EXPECT_EQ(counters->scheduled, std::nullopt) << "nothing tells that the histogram is one";
}

TEST(ScheduleCounter, SumsTheWholeHistogram) {
  for (const char* version : {"go1.19.8", "go1.22.1", "go1.27.4"}) {  // 1.19: without overflow, and larger
    Runtime runtime(version);
    const std::uint64_t words = runtime.layout().time_histogram.size / 8;
    runtime.put_count(0, 1000);
    runtime.put_count(100, 200);
    runtime.put_count(words - 2, 30);
    runtime.put_count(words - 1, 4);
    EXPECT_EQ(runtime.read()->scheduled, 8U * 1234) << version;
    runtime.put_count(50, 1ULL << 63U);
    EXPECT_NE(runtime.error().find("sched.timeToRun"), std::string::npos) << version;
  }
}

TEST(RuntimeCounters, AreAbsentWithoutTheirGlobals) {
  GoProgramFixture::Symbols symbols = kSymbols;
  symbols.erase("runtime.allp");
  const auto without_allp = Runtime("go1.27.4", symbols).read();
  ASSERT_TRUE(without_allp);
  EXPECT_EQ(without_allp->spawned, std::nullopt);
  EXPECT_EQ(without_allp->scheduled, 0U);

  symbols = kSymbols;
  symbols.erase("runtime.sched");
  const auto without_sched = Runtime("go1.27.4", symbols).read();
  ASSERT_TRUE(without_sched);
  EXPECT_EQ(without_sched->spawned, std::nullopt);
  EXPECT_EQ(without_sched->scheduled, std::nullopt);
  EXPECT_NE(without_sched->at, Instant());
}

TEST(RuntimeCounters, SayWhatLies) {
  struct Case {
    const char* what;
    const char* named;
    std::function<void(Runtime&)> lie;
  };
  const Case cases[] = {
      {"no P", "runtime.allp", [](Runtime& r) { r.put_slice(kArray, 0, kProcs); }},
      {"absurd", "runtime.allp", [](Runtime& r) { r.put_slice(kArray, 1, 1ULL << 60U); }},
      {"longer than its capacity", "runtime.allp", [](Runtime& r) { r.put_slice(kArray, 4, kProcs); }},
      {"unaligned", "runtime.allp", [](Runtime& r) { r.put_slice(kArray + 1, 1, 1); }},
      {"unmapped", "runtime.allp", [](Runtime& r) { r.put_slice(kArray + 0x900000, 1, 1); }},
      {"no pointers", "runtime.allp", [](Runtime& r) { r.memory.put(kArray + 8, std::uint64_t{7}); }},
      {"no first P", "runtime.allp", [](Runtime& r) { r.memory.put(kArray, std::uint64_t{0}); }},
      {"one P twice", "runtime.allp", [](Runtime& r) { r.memory.put(kArray + 8, Runtime::p(0)); }},
      {"an unmapped P", "runtime.allp", [](Runtime& r) { r.memory.put(kArray + 8, Runtime::p(9)); }},
      {"other Ps", "runtime.allp", [](Runtime& r) { r.memory.put(Runtime::p(1) + r.layout().p.id, 1U << 31U); }},
      {"more ids than there can be", "sched.goidgen",
       [](Runtime& r) { r.put_sched(r.layout().sched.goidgen, ~std::uint64_t{0}); }},
  };
  for (const char* version : {"go1.24.4", "go1.27.4"}) {
    for (const Case& bad : cases) {
      Runtime runtime(version);
      EXPECT_EQ(runtime.error(), "");
      bad.lie(runtime);
      EXPECT_NE(runtime.error().find(bad.named), std::string::npos) << bad.what << ": " << runtime.error();
    }
  }
}

TEST(SpawnCounter, RefusesIdsThatWereNeverGiven) {
  for (const auto& [next, end] : {std::pair<std::uint64_t, std::uint64_t>{900, 917},
                                  {990, 1002},
                                  {1002, 917},
                                  {0, ~std::uint64_t{0}},
                                  {~std::uint64_t{0}, 0}}) {
    Runtime runtime("go1.24.4");
    runtime.put_ids(1, next, end);
    EXPECT_NE(runtime.error().find("goidcache"), std::string::npos) << next << " to " << end;
  }
  Runtime runtime("go1.24.4");  // fewer given than are left
  runtime.put_sched(runtime.layout().sched.goidgen, 16);
  for (std::uint64_t i = 0; i < kProcs; ++i) runtime.put_ids(i, 1, 17);
  EXPECT_NE(runtime.error().find("goidcache"), std::string::npos);
}

// A thread that is interrupted between the two words leaves them so for as long.
TEST(SpawnCounter, TakesIdsThatAreHalfWrittenDownForUsed) {
  Runtime runtime("go1.24.4");
  for (const std::uint64_t next : {985U, 1000U}) {  // of 985 to 1000
    runtime.put_ids(1, next, 500);
    EXPECT_EQ(runtime.read()->spawned, 1000U);
  }
}

TEST(SpawnCounter, RefusesMoreGoroutinesThanIds) {
  Runtime runtime("go1.27.4");
  runtime.put_sched(runtime.layout().sched.goroutines_created, 900);
  runtime.put_created(0, 100);
  EXPECT_EQ(runtime.read()->spawned, 1000U);
  runtime.put_created(1, 1);
  EXPECT_NE(runtime.error().find("goroutinesCreated"), std::string::npos);
  runtime.put_created(0, ~std::uint64_t{0} - 899);  // a sum that wraps around
  EXPECT_NE(runtime.error().find("goroutinesCreated"), std::string::npos);
}

// A P's count moves to sched when the P is given up: seen in neither place or in both unless one looks again.
TEST(SpawnCounter, IsReadAgainWhenAPGoesMeanwhile) {
  for (int reads = 1; reads < 20; ++reads) {
    Runtime runtime("go1.27.4");
    runtime.put_sched(runtime.layout().sched.goroutines_created, 100);
    for (std::uint64_t i = 0; i < kProcs; ++i) runtime.put_created(i, 50);
    runtime.memory.reads_left = reads;
    runtime.memory.then = [&] {
      runtime.put_created(1, 0);
      runtime.put_sched(runtime.layout().sched.goroutines_created, 150);
      runtime.put_slice(kArray, 1, kProcs);
    };
    EXPECT_EQ(runtime.read()->spawned, 250U) << "after " << reads << " reads";
  }
}

TEST(SpawnCounter, IsReadAgainWhenAPTakesIdsMeanwhile) {
  for (int reads = 1; reads < 20; ++reads) {
    Runtime runtime("go1.24.4");
    for (std::uint64_t i = 0; i < kProcs; ++i) runtime.put_ids(i, 900 + 16 * i, 900 + 16 * i);
    runtime.memory.reads_left = reads;
    runtime.memory.then = [&] {
      runtime.put_sched(runtime.layout().sched.goidgen, 1016);
      runtime.put_ids(1, 1002, 1017);
    };
    const auto counters = runtime.read();
    ASSERT_TRUE(counters);
    EXPECT_TRUE(counters->spawned == 1000U || counters->spawned == 1001U) << "after " << reads << " reads";
  }
}

RuntimeCounters counters(std::int64_t ms, std::optional<std::uint64_t> spawned,
                         std::optional<std::uint64_t> scheduled) {
  return {.at = Instant(std::chrono::milliseconds(ms)), .spawned = spawned, .scheduled = scheduled};
}

TEST(RatesOfCounters, ArePerSecond) {
  const Rates rates = rates_between(counters(1000, 100, 8000), counters(1500, 150, 8000));
  EXPECT_DOUBLE_EQ(*rates.spawns_per_s, 100);
  EXPECT_DOUBLE_EQ(*rates.switches_per_s, 0);
}

TEST(RatesOfCounters, AreAbsentWhereNothingCanBeSaid) {
  const Rates smaller = rates_between(counters(1000, 100, 8000), counters(1500, 99, 9000));
  EXPECT_EQ(smaller.spawns_per_s, std::nullopt) << "not 2^64 of them";
  EXPECT_DOUBLE_EQ(*smaller.switches_per_s, 2000);
  const Rates unknown = rates_between(counters(1000, {}, 8000), counters(1500, 99, {}));
  EXPECT_EQ(unknown.spawns_per_s, std::nullopt);
  EXPECT_EQ(unknown.switches_per_s, std::nullopt);
  EXPECT_EQ(rates_between(counters(1000, 1, 1), counters(1000, 2, 2)).spawns_per_s, std::nullopt);
  EXPECT_EQ(rates_between(counters(1000, 1, 1), counters(900, 2, 2)).switches_per_s, std::nullopt);
}

}  // namespace
}  // namespace goleakd::snapshot
