// SPDX-License-Identifier: Apache-2.0
#include "target/procfs.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "target/memory_limit.h"

namespace goleakd::target {
namespace {

class ProcTree : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = std::filesystem::path(::testing::TempDir()) / ("proc" + std::to_string(::getpid()));
    std::filesystem::create_directories(root_ / "42");
    std::filesystem::create_directories(root_ / "self");
  }
  void TearDown() override { std::filesystem::remove_all(root_); }
  void write(const std::string& name, const std::string& text) { std::ofstream(root_ / name) << text; }

  std::filesystem::path root_;
};

TEST_F(ProcTree, ReadsAProcessWhoseNameIsHostile) {
  write(
      "42/stat",
      "42 (a) R 1 (b)) S 1 42 42 0 -1 4194560 1 0 0 0 250 75 9 9 20 0 5 0 123456 1000 200 18446744073709551615 1 1 77 "
      "0\n");
  write("42/status", "Name:\tx\nUid:\t1000\t1000\t1000\t1000\n");
  write("42/cgroup", "12:pids:/x\n1:name=systemd:/system.slice/shop.service\n0::/\n");
  write("42/maps",
        "00400000-00401000 r-xp 00000000 fe:00 77 /opt/a b/shop (deleted)\n7ffc0000-7ffd0000 rw-p 00000000 00:00 0 "
        "[stack]\n");
  std::filesystem::create_symlink("/opt/a b/shop (deleted)", root_ / "42/exe");
  const Procfs proc(root_);
  EXPECT_EQ(proc.pids(), std::vector<int>{42});
  EXPECT_EQ(proc.identity(42)->start_ticks, 123456U);
  EXPECT_EQ(proc.identity(42)->start_stack, 77U);
  EXPECT_EQ(*proc.cpu_time(42), (250 + 75) * Duration(std::chrono::seconds(1)) / ::sysconf(_SC_CLK_TCK));
  EXPECT_EQ(*proc.exe(42), "/opt/a b/shop");
  EXPECT_EQ(proc.uid(42), 1000U);
  EXPECT_EQ(proc.cgroup(42), "/system.slice/shop.service");
  const auto maps = proc.maps(42);
  ASSERT_TRUE(maps);
  EXPECT_EQ(maps->front().start, 0x400000U);
  EXPECT_EQ(maps->front().path, "/opt/a b/shop");
}

TEST_F(ProcTree, KnowsTheProcessOfAThreadAndItsParent) {
  write("42/status", "Name:\tshop\nTgid:\t40\nPid:\t42\nPPid:\t7\n");
  write("42/comm", "shop\n");
  const Procfs proc(root_);
  EXPECT_EQ(proc.process_of(42), 40);
  EXPECT_EQ(proc.parent(42), 7);
  EXPECT_EQ(proc.command(42), "shop");
  EXPECT_EQ(proc.path_as_seen_by(42, "/bin/shop"), root_.string() + "/42/root/bin/shop");
  EXPECT_EQ(proc.path_as_seen_by(42, "./shop"), root_.string() + "/42/cwd/./shop");
  write("42/status", "Name:\tshop\nTgid:\t42\nPid:\t42\nPPid:\t0\n");
  EXPECT_EQ(proc.parent(42), std::nullopt);
  EXPECT_EQ(proc.process_of(7), std::nullopt);
  EXPECT_EQ(proc.parent(7), std::nullopt);
  EXPECT_EQ(proc.command(7), "");
}

TEST_F(ProcTree, SaysThatAProcessIsNotThere) {
  write("42/stat", "42 (shop) Z 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 5 0 123456 1000 200\n");
  const Procfs proc(root_);
  EXPECT_EQ(proc.identity(42).error().kind(), ErrorKind::gone);
  EXPECT_EQ(proc.identity(7).error().kind(), ErrorKind::not_found);
  EXPECT_EQ(proc.cpu_time(42).error().kind(), ErrorKind::gone);
  EXPECT_EQ(proc.cpu_time(7).error().kind(), ErrorKind::not_found);
  EXPECT_EQ(proc.exe(7).error().kind(), ErrorKind::not_found);
}

TEST_F(ProcTree, MissesWhatALineThatIsCutShortLacks) {
  write("42/stat", "42 (shop) S 1 42 42 0 -1 4194560 1 0 0 0 250");
  const Procfs proc(root_);
  EXPECT_EQ(proc.identity(42).error().kind(), ErrorKind::invalid);
  EXPECT_EQ(proc.cpu_time(42).error().kind(), ErrorKind::invalid);
}

TEST(Procfs, CountsTheCpuTimeOfThisProcess) {
  const auto cpu = Procfs().cpu_time(::getpid());
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  ASSERT_TRUE(cpu);
  EXPECT_LE(*cpu, std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec));
}

TEST_F(ProcTree, TakesTheLowestMemoryLimitOnTheWayUp) {
  write("meminfo", "MemTotal:       1000 kB\n");
  write("42/cgroup", "0::/a.slice/b.service\n");
  const Procfs proc(root_);
  const std::string cgroups = root_ / "cgroup";
  EXPECT_EQ(memory_limit(proc, 42, cgroups), 1000U * 1024);
  std::filesystem::create_directories(root_ / "cgroup/a.slice/b.service");
  write("cgroup/a.slice/b.service/memory.max", "max\n");
  EXPECT_EQ(memory_limit(proc, 42, cgroups), 1000U * 1024);
  write("cgroup/a.slice/memory.max", "4096\n");
  EXPECT_EQ(memory_limit(proc, 42, cgroups), 4096U);
}

}  // namespace
}  // namespace goleakd::target
