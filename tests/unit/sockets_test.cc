// SPDX-License-Identifier: Apache-2.0
#include "target/sockets.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "target/syscall_name.h"

namespace goleakd::target {
namespace {

class Sockets : public ::testing::Test {
 protected:
  Sockets() : root_(std::filesystem::path(::testing::TempDir()) / ("sockets" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(root_ / "42" / "net");
    std::filesystem::create_directories(root_ / "42" / "fd");
    std::filesystem::create_directories(root_ / "42" / "task" / "43");
  }
  ~Sockets() override { std::filesystem::remove_all(root_); }

  void write(const std::string& path, const std::string& text) { std::ofstream(root_ / "42" / path) << text; }

  std::filesystem::path root_;
  Procfs proc_{root_};
};

TEST_F(Sockets, AreFoundByInode) {
  const std::string head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  inode\n";
  const std::string rest = " 00000000:00000000 00:00000000 00000000     0        0 ";
  write("net/tcp", head + "   0: 0100007F:1F90 00000000:0000 0A" + rest + "576 1 0\n" +
                       "   1: 0100007F:1F90 0200007F:C350 01" + rest + "577 1 0\n" + "nonsense\n" +
                       "   2: zz:1F90 0200007F 99" + rest + "578 1 0\n");
  write("net/tcp6", head + "   0: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A" +
                        rest + "580 1 0\n" +
                        "   1: 0000000000000000FFFF00000100007F:0050 0000000000000000FFFF00000300007F:0051 08" + rest +
                        "581 1 0\n");
  write("net/udp", head + "   0: 00000000:0035 00000000:0000 07" + rest + "590 1 0\n");
  write("net/unix",
        "Num       RefCount Protocol Flags    Type St Inode Path\n"
        "0000000089fc08e4: 00000002 00000000 00010000 0001 01  600 /run/a b\n"
        "0000000089fc08e5: 00000003 00000000 00000000 0001 03  601\n");
  const auto found = read_sockets(proc_, 42, {576, 577, 578, 580, 581, 590, 600, 601, 999});
  EXPECT_EQ(found.at(576).protocol, "tcp");
  EXPECT_EQ(found.at(576).local, "127.0.0.1:8080");
  EXPECT_EQ(found.at(576).remote, "");
  EXPECT_EQ(found.at(576).state, "LISTEN");
  EXPECT_EQ(found.at(577).remote, "127.0.0.2:50000");
  EXPECT_EQ(found.at(577).state, "ESTABLISHED");
  EXPECT_EQ(found.at(578).local, "");
  EXPECT_EQ(found.at(578).state, "");
  EXPECT_EQ(found.at(580).local, "[::1]:80");
  EXPECT_EQ(found.at(581).local, "127.0.0.1:80");
  EXPECT_EQ(found.at(581).remote, "127.0.0.3:81");
  EXPECT_EQ(found.at(581).state, "CLOSE_WAIT");
  EXPECT_EQ(found.at(590).protocol, "udp");
  EXPECT_EQ(found.at(590).local, "0.0.0.0:53");
  EXPECT_EQ(found.at(590).state, "");
  EXPECT_EQ(found.at(600).local, "/run/a b");
  EXPECT_EQ(found.at(600).state, "LISTEN");
  EXPECT_EQ(found.at(601).local, "");
  EXPECT_EQ(found.at(601).state, "ESTABLISHED");
  EXPECT_FALSE(found.contains(999));
  EXPECT_EQ(read_sockets(proc_, 42, {577}).size(), 1U);
}

TEST_F(Sockets, AreTheFilesOfThatName) {
  std::filesystem::create_symlink("socket:[1234]", root_ / "42" / "fd" / "7");
  EXPECT_EQ(socket_inode(*proc_.descriptor(42, 7)), 1234U);
  EXPECT_EQ(proc_.descriptor(42, 8).error().kind(), ErrorKind::not_found);
  EXPECT_FALSE(socket_inode("pipe:[1234]"));
  EXPECT_FALSE(socket_inode("socket:[12"));
  EXPECT_FALSE(socket_inode("socket:[]"));
}

TEST_F(Sockets, AndSystemCallsAreAskedOfThreads) {
  write("task/43/status", "Name:\tobjects\nNSpid:\t43\t7\n");
  EXPECT_EQ(proc_.threads(42), (std::map<std::uint64_t, int>{{7, 43}}));
  write("task/43/syscall", "35 0x3 0x7f9cd2018000 0x20000 0x7f9cd20a9b60 0x0 0x0 0x7ffea3abd888 0x7f9cd21922ad\n");
  EXPECT_EQ(proc_.system_call(42, 43), 35);
  EXPECT_EQ(syscall_name(35), "nanosleep");
  EXPECT_EQ(syscall_name(123456), "");
  for (const char* text : {"running\n", "-1 0x7ffea3abd888 0x7f9cd21922ad\n", ""}) {
    write("task/43/syscall", text);
    EXPECT_FALSE(proc_.system_call(42, 43)) << text;
  }
  EXPECT_FALSE(proc_.system_call(42, 44));
}

}  // namespace
}  // namespace goleakd::target
