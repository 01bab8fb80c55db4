// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "history/writer.h"
#include "history_fixture.h"

namespace goleakd::history {
namespace {

class KeeperTest : public HistoryTest {
 protected:
  Settings settings(std::uint64_t max_bytes = 64U << 20U) const {
    return {.path = path(), .max_bytes = max_bytes, .interval = std::chrono::minutes(1), .boot = "boot"};
  }
  Keeper keeper(std::uint64_t max_bytes = 64U << 20U) {
    return {settings(max_bytes), [this](const std::string& message) { said_.push_back(message); }};
  }
  // With a site, so that there is something to write.
  verdict::Report look(Seconds after, std::uint64_t live = 8) const {
    verdict::TargetReport target = process();
    target.sites = {sample::site("pool", live)};
    return report(after, {target});
  }
  bool said(const std::string& words) const {
    return std::ranges::any_of(said_, [&](const auto& line) { return line.find(words) != std::string::npos; });
  }
  // All but the first page.
  void damage() const {
    const auto size = std::filesystem::file_size(path());
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    file << std::string(size - 4096, '\x5a');
  }
  void write(const std::string& text) const { std::ofstream(path(), std::ios::binary) << text; }

  std::vector<std::string> said_;
};

TEST_F(KeeperTest, NothingIsClaimedBeforeTheFirstLook) {
  const Keeper keeper = this->keeper();
  EXPECT_TRUE(keeper.status().enabled);
  EXPECT_FALSE(keeper.status().up);
  EXPECT_FALSE(keeper.status().slow_leaks);
}

TEST_F(KeeperTest, WritesAndSaysSo) {
  Keeper keeper = this->keeper();
  keeper.take(look(100));
  keeper.take(look(170));
  const auto& status = keeper.status();
  EXPECT_EQ(status.up, true);
  EXPECT_EQ(status.samples, 2);
  EXPECT_EQ(status.missed_intervals, 0);
  EXPECT_EQ(status.failed_writes, 0);
  EXPECT_GT(status.bytes, 4096);
  EXPECT_TRUE(status.slow_leaks && status.slow_leaks->empty());
  EXPECT_TRUE(said_.empty());
  EXPECT_EQ(std::filesystem::status(path()).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(KeeperTest, IntervalsWithoutASampleAreCounted) {
  Keeper keeper = this->keeper();
  keeper.take(look(100));
  keeper.take(look(400));
  EXPECT_EQ(keeper.status().missed_intervals, 4);
}

TEST_F(KeeperTest, ADamagedFileIsSetAside) {
  {
    Keeper keeper = this->keeper();
    for (Seconds at = 100; at < 20'000; at += 60) keeper.take(look(at));
  }
  const auto size = std::filesystem::file_size(path());
  damage();
  Keeper keeper = this->keeper();
  keeper.take(look(30'000));
  EXPECT_EQ(keeper.status().up, true);
  EXPECT_EQ(keeper.status().set_aside, 1);
  EXPECT_TRUE(said("set aside as " + path() + ".corrupt"));
  EXPECT_EQ(std::filesystem::file_size(path() + ".corrupt"), size);
}

TEST_F(KeeperTest, WhatIsNoDatabaseIsSetAside) {
  write(std::string(10'000, 'x'));
  Keeper keeper = this->keeper();
  keeper.take(look(100));
  EXPECT_EQ(keeper.status().up, true);
  EXPECT_TRUE(said("set aside"));
}

TEST_F(KeeperTest, DamageFoundWhileItRunsIsSetAsideToo) {
  Keeper keeper = this->keeper();
  keeper.take(look(100));
  {
    auto other = Database::open_to_write(path());  // what it has in its cache is old by this
    ASSERT_OK(other->script("UPDATE service SET last_seen = 1; PRAGMA wal_checkpoint(TRUNCATE)"));
  }
  damage();
  bool failed = false;
  for (Seconds at = 200; at < 2000; at += 60) {
    keeper.take(look(at));
    failed = failed || keeper.status().up == false;
  }
  EXPECT_TRUE(failed) << "it was told";
  EXPECT_EQ(keeper.status().up, true);
  EXPECT_EQ(keeper.status().set_aside, 1);
  EXPECT_GT(keeper.status().failed_writes, 0);
}

TEST_F(KeeperTest, AFileOfANewerGoleakdIsLeftAlone) {
  {
    Keeper keeper = this->keeper();
    keeper.take(look(100));
  }
  {
    auto database = Database::open_to_write(path());
    ASSERT_OK(database->script("PRAGMA user_version = 2; PRAGMA wal_checkpoint(TRUNCATE)"));
  }
  std::ifstream before(path(), std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(before), {});
  Keeper keeper = this->keeper();
  keeper.take(look(200));
  EXPECT_EQ(keeper.status().up, false);
  EXPECT_EQ(keeper.status().kind, "unsupported");
  EXPECT_TRUE(said("has schema 2, of a newer goleakd"));
  std::ifstream after(path(), std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(after), {}), bytes);
  EXPECT_EQ(open_file_to_read(path()).error().kind(), ErrorKind::unsupported);
}

TEST_F(KeeperTest, ADatabaseOfAnotherProgramIsLeftAlone) {
  {
    auto database = Database::open_to_write(path());
    ASSERT_OK(database->script("CREATE TABLE theirs (x)"));
  }
  Keeper keeper = this->keeper();
  keeper.take(look(100));
  EXPECT_EQ(keeper.status().kind, "unsupported");
  EXPECT_TRUE(said("a database of another program"));
}

TEST_F(KeeperTest, TwoDaemonsDoNotWriteOneFile) {
  Keeper first = keeper();
  first.take(look(100));
  Keeper second = keeper();
  second.take(look(101));
  EXPECT_EQ(first.status().up, true);
  EXPECT_EQ(second.status().up, false);
  EXPECT_TRUE(said("another goleakd writes"));
}

TEST_F(KeeperTest, AFolderThatIsNotThereIsMadeAndADeeperOneIsToldOf) {
  Keeper made({.path = folder_ / "state" / "history.db",
               .max_bytes = 64U << 20U,
               .interval = std::chrono::minutes(1),
               .boot = ""},
              [](const std::string&) {});
  made.take(look(100));
  EXPECT_EQ(made.status().up, true);
  Keeper deeper({.path = folder_ / "no" / "such" / "history.db",
                 .max_bytes = 64U << 20U,
                 .interval = std::chrono::minutes(1),
                 .boot = ""},
                [this](const std::string& message) { said_.push_back(message); });
  deeper.take(look(100));
  EXPECT_EQ(deeper.status().kind, "not_found");
  EXPECT_TRUE(said("the rest goes on"));
}

// By the limit of the process on the size of files, which is to SQLite what a full disk is: a write that fails.
TEST_F(KeeperTest, GoesOnWhenThereIsRoomAgain) {
  std::signal(SIGXFSZ, SIG_IGN);
  Keeper keeper = this->keeper();
  keeper.take(look(100));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 4096;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &none), 0);
  keeper.take(look(200));
  const bool was_up = keeper.status().up.value_or(true);
  keeper.take(look(300));
  keeper.take(look(400));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_FALSE(was_up);
  EXPECT_EQ(keeper.status().kind, "system");
  EXPECT_EQ(keeper.status().failed_writes, 3);
  EXPECT_EQ(
      std::ranges::count_if(said_, [](const auto& line) { return line.find("is not written") != std::string::npos; }),
      1)
      << "once";
  keeper.take(look(500));
  EXPECT_EQ(keeper.status().up, true);
  EXPECT_EQ(keeper.status().missed_intervals, 6) << "from 120 to 420";
  EXPECT_TRUE(said("written again"));
  EXPECT_EQ(keeper.status().samples, 2);
}

TEST_F(KeeperTest, StaysWithinItsSize) {
  constexpr std::uint64_t kSize = 4U << 20U;
  Keeper keeper = this->keeper(kSize);
  verdict::TargetReport target = process();
  for (int i = 0; i < 190; ++i) target.sites.push_back(sample::site("site" + std::to_string(i), 5));
  std::uint64_t largest = 0;
  for (Seconds at = 100; at < 80'000; at += 60) {
    keeper.take(report(at, {target}));
    largest = std::max(largest, keeper.status().bytes);
  }
  EXPECT_EQ(keeper.status().up, true) << keeper.status().reason;
  EXPECT_GT(keeper.status().trimmed, 0);
  EXPECT_EQ(keeper.status().missed_intervals, 0);
  EXPECT_LE(largest, kSize);
  EXPECT_TRUE(said("reached its size, 4 MiB"));
}

TEST_F(KeeperTest, IsReadWhileItIsWritten) {
  Keeper keeper = this->keeper();
  for (Seconds at = 100; at < 1000; at += 60) {
    verdict::TargetReport target = process();
    target.leaks = {leak(verdict::Stage::leaking, 7, 50)};
    keeper.take(report(at, {target}));
    EXPECT_EQ(view().leaks.size(), 1);
    EXPECT_EQ(view().written, begin_ + at);
  }
}

TEST_F(KeeperTest, IsReadWithoutTheRightToWrite) {
  {
    Keeper keeper = this->keeper();
    keeper.take(look(100));
  }
  for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(path() + suffix);
  std::filesystem::permissions(path(), std::filesystem::perms::owner_read);
  std::filesystem::permissions(folder_, std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  EXPECT_EQ(view().written, begin_ + 100);
}

TEST_F(KeeperTest, WriterWritesWhatWasOfferedLastBeforeItEnds) {
  {
    Writer writer(settings(), [](const std::string&) {});
    EXPECT_FALSE(writer.status().up);
    for (Seconds at = 100; at < 200; ++at) writer.offer(sample::share(look(at, static_cast<std::uint64_t>(at))));
  }
  auto database = open_file_to_read(path());
  ASSERT_OK(database);
  EXPECT_EQ(database->number("SELECT max(most) FROM sample").value_or(0), 199);
}

}  // namespace
}  // namespace goleakd::history
