// SPDX-License-Identifier: Apache-2.0
// The goroutine table against std::unordered_map.
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ledger/goroutine_table.h"

namespace goleakd::ledger {
namespace {

Goroutine goroutine(Goid goid, std::uint64_t object) {
  Goroutine result;
  result.goid = goid;
  result.object = object;
  return result;
}

using Model = std::unordered_map<Goid, std::uint64_t>;

void expect_same(GoroutineTable& table, const Model& model) {
  ASSERT_EQ(table.size(), model.size());
  Model shown;
  for (const Goroutine& held : std::as_const(table).all()) {
    ASSERT_TRUE(shown.emplace(held.goid, held.object).second) << held.goid << " is shown twice";
  }
  ASSERT_EQ(shown, model);
  for (const auto& [goid, object] : model) {
    ASSERT_NE(table.find(goid), nullptr) << goid;
    ASSERT_EQ(table.find(goid)->object, object);
  }
}

// How goids may follow each other: in sequence, as Go gives them out; in steps, as survivors stand; made up.
using NextGoid = Goid (*)(Goid last, std::mt19937_64& random);
class Table : public testing::TestWithParam<NextGoid> {};

TEST_P(Table, HoldsWhatAMapHolds) {
  std::mt19937_64 random(7);
  GoroutineTable table;
  Model model;
  std::vector<Goid> goids;
  Goid last = 0;
  // Waves of some slabs: it grows, swings, and nearly empties, four times.
  for (int step = 0; step < 120'000; ++step) {
    const bool growing = step / 15'000 % 2 == 0;
    const auto choice = random() % 10;
    if (choice < (growing ? 6U : 2U)) {
      last = GetParam()(last, random);
      if (model.emplace(last, step).second) {
        const Goroutine& inserted = table.insert(goroutine(last, static_cast<std::uint64_t>(step)));
        ASSERT_EQ(inserted.goid, last);
        goids.push_back(last);
      }
    } else if (choice < 8 && !goids.empty()) {
      const std::size_t victim = random() % goids.size();
      table.erase(goids[victim]);
      model.erase(goids[victim]);
      goids[victim] = goids.back();
      goids.pop_back();
    } else {
      const Goid stranger = random();
      table.erase(stranger);
      model.erase(stranger);
      ASSERT_EQ(table.contains(last), model.contains(last));
    }
    if (step % 10'000 == 0) {
      ASSERT_NO_FATAL_FAILURE(expect_same(table, model));
    }
  }
  ASSERT_NO_FATAL_FAILURE(expect_same(table, model));
  for (const Goid goid : goids) table.erase(goid);
  EXPECT_EQ(table.size(), 0U);
  EXPECT_TRUE(std::as_const(table).all().empty());
}

TEST_P(Table, ErasesWhatIsAskedForAndAsksOnce) {
  std::mt19937_64 random(11);
  GoroutineTable table;
  Model model;
  Goid goid = 0;
  for (int i = 0; i < 10'000; ++i) {
    goid = GetParam()(goid, random);
    if (model.emplace(goid, random()).second) table.insert(goroutine(goid, model[goid]));
  }
  for (const std::uint64_t modulus : {1000U, 3U, 2U, 1U}) {
    std::set<Goid> asked;
    const std::size_t before = table.size();
    table.erase_if([&](const Goroutine& held) {
      EXPECT_TRUE(asked.insert(held.goid).second) << "asked twice of " << held.goid;
      return held.object % modulus == 0;
    });
    EXPECT_EQ(asked.size(), before);
    std::erase_if(model, [&](const auto& entry) { return entry.second % modulus == 0; });
    ASSERT_NO_FATAL_FAILURE(expect_same(table, model));
  }
  EXPECT_EQ(table.size(), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Goids, Table,
    testing::Values<NextGoid>([](Goid last, std::mt19937_64&) -> Goid { return last + 1; },
                              [](Goid last, std::mt19937_64&) -> Goid { return last + 16; },
                              [](Goid last, std::mt19937_64&) -> Goid { return last + (1U << 20U); },
                              [](Goid last, std::mt19937_64&) -> Goid { return last + (1ULL << 47U); },
                              [](Goid, std::mt19937_64& random) -> Goid { return random(); },
                              [](Goid, std::mt19937_64& random) -> Goid { return random() % 20'000; }));

TEST(TableMemory, IsBoundedWhileItGrowsAndGivenBack) {
  GoroutineTable table;
  const std::size_t empty = table.bytes();
  for (Goid goid = 1; goid <= 300'000; ++goid) {
    table.insert(goroutine(goid, goid));
    if (goid >= 50'000) {
      ASSERT_LE(table.bytes(), goid * 95) << goid;
    }
  }
  // Survivors are everywhere among those that go.
  for (Goid goid = 1; goid <= 300'000; ++goid) {
    if (goid % 1000 != 0) table.erase(goid);
  }
  EXPECT_EQ(table.size(), 300U);
  EXPECT_LT(table.bytes(), 1'000'000U);
  for (Goid goid = 1000; goid <= 300'000; goid += 1000) EXPECT_EQ(table.find(goid)->object, goid);
  table.clear();
  EXPECT_EQ(table.bytes(), empty);
}

TEST(TableMemory, ASizeThatSwingsAboutASlabsEndMovesNothing) {
  GoroutineTable table;
  Goid goid = 0;
  std::size_t before = table.bytes();
  do {  // until one more did not fit
    before = table.bytes();
    table.insert(goroutine(++goid, 0));
  } while (goid < 3000 || table.bytes() == before);
  const std::size_t grown = table.bytes();
  for (int i = 0; i < 10; ++i) {
    table.erase(goid);
    EXPECT_EQ(table.bytes(), grown);
    table.insert(goroutine(goid, 0));
    EXPECT_EQ(table.bytes(), grown);
  }
}

TEST(TableMemory, MovesWhole) {
  GoroutineTable first;
  for (Goid goid = 1; goid <= 5000; ++goid) first.insert(goroutine(goid, goid));
  GoroutineTable second = std::move(first);
  EXPECT_EQ(second.size(), 5000U);
  EXPECT_EQ(second.find(4321)->object, 4321U);
  GoroutineTable third;
  third.insert(goroutine(9, 9));
  third = std::move(second);
  EXPECT_EQ(third.size(), 5000U);
  EXPECT_EQ(third.find(9)->object, 9U);
}

}  // namespace
}  // namespace goleakd::ledger
