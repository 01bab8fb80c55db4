// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "history/columns.h"
#include "history/samples.h"
#include "history_fixture.h"

namespace goleakd::history {
namespace {

TEST(Resolution, FallsWithAge) {
  const Tiers minutes = tiers(std::chrono::minutes(1));
  EXPECT_EQ(minutes[0].step, 60);
  EXPECT_EQ(minutes[0].keep, 86'400);
  EXPECT_EQ(minutes[1].step, 600);
  EXPECT_EQ(minutes[1].keep, 7 * 86'400);
  EXPECT_EQ(minutes[2].step, 3600);
  EXPECT_EQ(minutes[2].keep, 365 * 86'400);
  EXPECT_EQ(tiers(std::chrono::milliseconds(10))[0].step, 1);
}

class SamplesTest : public HistoryTest {
 protected:
  SamplesTest() {
    auto opened = open_file(path(), 64U << 20U);
    EXPECT_TRUE(opened) << opened.error().message();
    database_.emplace(std::move(opened->database));
    EXPECT_TRUE(
        database_->script("INSERT INTO service VALUES (1, 'shop', 1, 1);"
                          "INSERT INTO version VALUES (1, 1, '', '', '', '', 1, 1);"
                          "INSERT INTO run VALUES (1, 1, '', 1, 1, 1, 1, 1, NULL);"
                          "INSERT INTO site VALUES (1, 1, 'a', 'f', 0, '', 0, '')"));
  }

  void add(Seconds step, Seconds start, Seconds end, std::int64_t count) {
    auto transaction = Transaction::begin(*database_);
    for (; start < end; start += step) {
      ASSERT_OK(database_->execute("INSERT INTO sample VALUES (?1, ?2, 1, 1, 1, ?3, ?3, ?3)",
                                   {step, start, count + start / step % 2}));
    }
    ASSERT_OK(transaction->commit());
  }
  void roll_up_all(Seconds now) {
    Result<bool> more = true;
    while (more && *more) more = roll_up(*database_, tiers(std::chrono::minutes(1)), now);
    ASSERT_TRUE(more) << more.error().message();
  }
  std::int64_t number(const std::string& sql) { return database_->number(sql).value_or(-1); }

  std::optional<Database> database_;
};

TEST_F(SamplesTest, OldOnesBecomeCoarserAndKeepTheirSums) {
  constexpr Seconds kDay = 86'400;
  const Seconds begin = 100 * kDay;
  add(60, begin, begin + 3 * kDay, 10);
  roll_up_all(begin + 3 * kDay);
  EXPECT_EQ(number("SELECT count(*) FROM sample WHERE step = 60"), 1440) << "the last day";
  EXPECT_EQ(number("SELECT count(*) FROM sample WHERE step = 600"), 2 * 144);
  EXPECT_EQ(number("SELECT sum(looks) FROM sample"), 3 * 1440) << "nothing counted twice, nothing lost";
  EXPECT_EQ(number("SELECT sum(total) FROM sample"), 3 * 1440 * 21 / 2);
  EXPECT_EQ(number("SELECT least * 100 + most FROM sample WHERE step = 600 LIMIT 1"), 1011);
  EXPECT_EQ(number("SELECT min(start) FROM sample"), begin);

  roll_up_all(begin + 20 * kDay);
  EXPECT_EQ(number("SELECT count(*) FROM sample WHERE step < 3600"), 0);
  EXPECT_EQ(number("SELECT count(*) FROM sample WHERE step = 3600"), 72);
  EXPECT_EQ(number("SELECT sum(looks) FROM sample"), 3 * 1440);

  roll_up_all(begin + 367 * kDay);
  EXPECT_EQ(number("SELECT count(*) FROM sample"), 24) << "of the year, one day is left";
}

TEST_F(SamplesTest, StepsOfAnotherConfigurationAgeToo) {
  constexpr Seconds kDay = 86'400;
  add(7, 100 * kDay, 101 * kDay, 10);
  roll_up_all(110 * kDay);
  EXPECT_EQ(number("SELECT count(*) FROM sample WHERE step = 3600"), 24);
  EXPECT_EQ(number("SELECT count(*) FROM sample"), 24);
}

TEST_F(SamplesTest, TheOldestOfTheFinestGoFirstAndAreCounted) {
  constexpr Seconds kDay = 86'400;
  add(3600, 80 * kDay, 90 * kDay, 10);
  add(60, 100 * kDay, 120 * kDay, 10);
  const auto pages = number("PRAGMA page_count");
  const auto trimmed = trim(*database_, pages / 2);
  ASSERT_TRUE(trimmed) << trimmed.error().message();
  EXPECT_GT(trimmed->samples, 10'000);
  EXPECT_EQ(number("SELECT count(*) FROM sample WHERE step = 3600"), 240) << "coarser ones are worth more";
  EXPECT_EQ(number("SELECT max(start) FROM sample"), 120 * kDay - 60) << "the newest stay";
  EXPECT_GT(number("SELECT min(start) FROM sample WHERE step = 60"), 100 * kDay);
  EXPECT_EQ(number("SELECT number FROM lost WHERE what = 'samples'"), static_cast<std::int64_t>(trimmed->samples));
  EXPECT_LE(number("PRAGMA page_count") - number("PRAGMA freelist_count"), pages / 2);
}

TEST_F(SamplesTest, WhatIsThereStaysWhateverTheSize) {
  ASSERT_OK(database_->script(
      "INSERT INTO leak VALUES (1, 'l1', 1, '', '', 0, '', '', 'leaking', '', '', '', '', '', 1, 1, 1, 1, 1);"
      "INSERT INTO leak VALUES (2, 'l2', 1, '', '', 0, '', '', 'gone', '', '', '', '', '', 1, 1, 1, 1, 1);"
      "INSERT INTO leak_run VALUES (1, 1, 1, 1, 1)"));
  add(60, 0, 6000, 1);
  const auto trimmed = trim(*database_, 0);
  ASSERT_TRUE(trimmed) << trimmed.error().message();
  EXPECT_EQ(trimmed->samples, 100);
  EXPECT_EQ(trimmed->leaks, 1) << "the one that is gone";
  EXPECT_EQ(trimmed->runs, 0) << "a process that runs";
}

Columns columns() { return {0, 100, 10, 1}; }

TEST(Columns, FollowingProcessesDoNotAddUpAndSimultaneousOnesDo) {
  Columns following = columns();
  for (Seconds at = 0; at < 10; ++at) following.add(1, at, 1, 5, 5);
  following.add(10, 10, 4, 24, 6);  // one process for four seconds at six, then another for six at two
  following.add(10, 10, 6, 12, 3);
  following.add(10, 20, 10, 60, 6);  // two at the same time
  following.add(10, 20, 10, 40, 4);
  const auto counts = following.take();
  ASSERT_EQ(counts.size(), 3);
  EXPECT_DOUBLE_EQ(counts[0].mean, 5);
  EXPECT_DOUBLE_EQ(counts[1].mean, 3.6);
  EXPECT_DOUBLE_EQ(counts[2].mean, 10);
  EXPECT_EQ(counts[2].most, 6);
}

TEST(Columns, NothingIsSaidWhereNobodyLooked) {
  Columns sparse = columns();
  sparse.add(1, 5, 1, 7, 7);
  sparse.add(1, 95, 1, 7, 7);
  const auto counts = sparse.take();
  ASSERT_EQ(counts.size(), 2);
  EXPECT_EQ(counts[0].at, 0);
  EXPECT_EQ(counts[1].at, 90);
}

TEST(Columns, CoarseSamplesFillSeveral) {
  Columns coarse = columns();
  coarse.add(60, 20, 60, 60 * 3, 4);
  EXPECT_EQ(coarse.take().size(), 6);
}

}  // namespace
}  // namespace goleakd::history
