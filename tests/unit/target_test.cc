// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "pclntab_fixture.h"
#include "target/build_info.h"
#include "target/code.h"
#include "target/elf_file.h"
#include "target/layout.h"
#include "target/memory_limit.h"
#include "target/pclntab.h"
#include "target/procfs.h"
#include "target/service_name.h"
#include "target/symbolizer.h"

namespace goleakd::target {
namespace {

using Bytes = std::vector<std::uint8_t>;

TEST(GoVersion, TakesReleasesAndKeepsTheirWholeText) {
  EXPECT_EQ(GoVersion::parse("go1.19.8")->minor, 19);
  EXPECT_EQ(GoVersion::parse("go1.27")->minor, 27);
  EXPECT_EQ(GoVersion::parse("go1.24.4 X:synchashtriemap")->text, "go1.24.4 X:synchashtriemap");
  for (const char* text :
       {"", "go", "go1.", "go2.1", "devel go1.28-abc", "go1.x", "go1.27-devel_0a1b", "go1.27rc1", "go1.28beta2"}) {
    EXPECT_FALSE(GoVersion::parse(text)) << text;
  }
}

// The blob as the linker writes it: see build_info.cc.
Bytes build_info_blob(const std::string& version, const std::string& module) {
  std::string blob = "\xff Go buildinf:";
  blob += static_cast<char>(8);
  blob += static_cast<char>(2);
  blob.resize(32);
  const std::string sentinel(16, '\x30');
  for (const std::string& text : {version, sentinel + module + sentinel}) {
    blob += static_cast<char>(text.size());  // below 128: one byte of varint
    blob += text;
  }
  return {blob.begin(), blob.end()};
}

TEST(BuildInfo, ReadsVersionModuleAndSettings) {
  const auto info = BuildInfo::parse(build_info_blob(
      "go1.22.12", "path\texample.com/shop/cmd\nmod\texample.com/shop\t(devel)\t\nbuild\t-race=true\n"));
  ASSERT_TRUE(info);
  EXPECT_EQ(info->version.minor, 22);
  EXPECT_EQ(info->path, "example.com/shop/cmd");
  EXPECT_EQ(info->module, "example.com/shop");
  EXPECT_EQ(info->settings.at("-race"), "true");
}

TEST(BuildInfo, RefusesWhatIsCutShortWithoutReadingPastIt) {
  const Bytes whole = build_info_blob("go1.22.12", "path\tx\n");
  for (std::size_t size = 0; size < 33 + 9; ++size) {
    EXPECT_FALSE(BuildInfo::parse(ByteSpan(whole).first(size))) << size;
  }
}

TEST(Layout, KnowsExactlyTheVersionsOfItsTable) {
  EXPECT_EQ(supported_versions(), "1.19, 1.22, 1.23, 1.24, 1.25, 1.26, 1.27");
  const auto layout = layout_for({.minor = 27, .text = "go1.27.4"});
  ASSERT_TRUE(layout);
  EXPECT_EQ((*layout)->g.goid, 152U);
  EXPECT_EQ((*layout)->wait_reason(19), "chan receive");
  EXPECT_EQ((*layout)->wait_reason(255), "unknown wait reason");
  EXPECT_EQ((*layout_for({.minor = 19, .text = "go1.19"}))->g.parent_goid, -1);
  EXPECT_EQ((*layout_for({.minor = 23, .text = "go1.23"}))->g.goid, 160U);
  const auto unknown = layout_for({.minor = 21, .text = "go1.21.13"});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind(), ErrorKind::unsupported);
}

TEST(Pclntab, FindsFunctionsByAddressAndByName) {
  const auto table = Pclntab::parse(PclntabFixture::bytes(), PclntabFixture::kText);
  ASSERT_TRUE(table) << table.error().message();
  EXPECT_EQ(table->size(), 2U);
  EXPECT_FALSE(table->function_at(PclntabFixture::kText - 1));
  EXPECT_EQ(table->function_at(PclntabFixture::kText)->name, "runtime.gopark");
  EXPECT_EQ(table->function_at(PclntabFixture::kText + 0x3f)->name, "runtime.gopark");
  EXPECT_EQ(table->function_at(PclntabFixture::kText + 0x40)->name, "main.main");
  EXPECT_FALSE(table->function_at(PclntabFixture::kText + 0x80));
  EXPECT_TRUE(table->runtime_function("runtime.gopark"));
  EXPECT_FALSE(table->runtime_function("main.main"));
}

TEST(Pclntab, DecodesStackDepthAndLinesByPc) {
  const auto table = Pclntab::parse(PclntabFixture::bytes(), PclntabFixture::kText);
  const auto function = *table->function_at(PclntabFixture::kText + 0x40);
  EXPECT_EQ(table->sp_delta(function, function.entry), 0);
  EXPECT_EQ(table->sp_delta(function, function.entry + 0x10), 24);
  EXPECT_EQ(table->line(function, function.entry).line, 7);
  EXPECT_EQ(table->line(function, function.entry + 0x20).line, 9);
  EXPECT_EQ(table->line(function, function.entry).file, "/src/main.go");
}

// The table belongs to others: whatever is cut off or overwritten gives an error or unknown values, never a read
// outside.
TEST(Pclntab, SurvivesEveryTruncationAndEveryFlippedByte) {
  const Bytes whole = PclntabFixture::bytes();
  const auto touch = [](Bytes bytes) {
    const auto table = Pclntab::parse(std::move(bytes), PclntabFixture::kText);
    if (!table) return;
    for (std::uint64_t pc = PclntabFixture::kText; pc < PclntabFixture::kText + 0x80; pc += 8) {
      const auto function = table->function_at(pc);
      if (!function) continue;
      table->sp_delta(*function, pc);
      table->line(*function, pc);
      table->pcdata(*function, 2, pc);
      table->funcdata(*function, 3);
    }
  };
  for (std::size_t size = 0; size < whole.size(); ++size)
    touch(Bytes(whole.begin(), whole.begin() + static_cast<long>(size)));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int value : {0x00, 0x7f, 0xff}) {
      Bytes changed = whole;
      changed[at] = static_cast<std::uint8_t>(value);
      touch(std::move(changed));
    }
  }
  SUCCEED();  // the sanitizers are the judges
}

TEST(Code, FindsCallsAndRipRelativeAddresses) {
  // 1000: call 0x2000; 1005: lea 0x10(%rip),%rax; 100c: call 0x2000; 1011: ret
  const Bytes code{0xe8, 0xfb, 0x0f, 0x00, 0x00, 0x48, 0x8d, 0x05, 0x10,
                   0x00, 0x00, 0x00, 0xe8, 0xef, 0x0f, 0x00, 0x00, 0xc3};
  EXPECT_EQ(calls_to(code, 0x1000, 0x2000), (std::vector<std::uint64_t>{0x1000, 0x100c}));
  std::vector<std::uint64_t> named;
  for_each_instruction(code, 0x1000, [&](const Instruction& i) {
    if (const auto address = i.rip_relative()) named.push_back(*address);
    return true;
  });
  EXPECT_EQ(named, std::vector<std::uint64_t>{0x101c});
}

TEST(Symbolizer, ShortensTypeArgumentsAsTracebacksDo) {
  EXPECT_EQ(printable_function("main.f[go.shape.int]"), "main.f[...]");
  EXPECT_EQ(printable_function("main.(*T[go.shape.struct { a [4]int }]).Do.func1"), "main.(*T[...]).Do.func1");
  EXPECT_EQ(printable_function("main.main"), "main.main");
}

TEST(ServiceName, IsTheInnermostUnitElseTheProgram) {
  EXPECT_EQ(service_name("/system.slice/shop.service", "/usr/bin/shopd"), "shop");
  EXPECT_EQ(service_name("/user.slice/user-1000.slice/user@1000.service/app.slice/mail.service", "/x"), "mail");
  EXPECT_EQ(service_name("/user.slice/user-1000.slice/user@1000.service/init.scope", "/opt/shopd"), "shopd");
  EXPECT_EQ(service_name("/user.slice/user-0.slice/session-4.scope", "/opt/shopd"), "shopd");
  EXPECT_EQ(service_name("", "shopd"), "shopd");
}

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
  write("42/stat",
        "42 (a) R 1 (b)) S 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 5 0 123456 1000 200 18446744073709551615 1 1 77 "
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
  EXPECT_EQ(*proc.exe(42), "/opt/a b/shop");
  EXPECT_EQ(proc.uid(42), 1000U);
  EXPECT_EQ(proc.cgroup(42), "/system.slice/shop.service");
  const auto maps = proc.maps(42);
  ASSERT_TRUE(maps);
  EXPECT_EQ(maps->front().start, 0x400000U);
  EXPECT_EQ(maps->front().path, "/opt/a b/shop");
}

TEST_F(ProcTree, SaysThatAProcessIsNotThere) {
  write("42/stat", "42 (shop) Z 1 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 5 0 123456 1000 200\n");
  const Procfs proc(root_);
  EXPECT_EQ(proc.identity(42).error().kind(), ErrorKind::gone);
  EXPECT_EQ(proc.identity(7).error().kind(), ErrorKind::not_found);
  EXPECT_EQ(proc.exe(7).error().kind(), ErrorKind::not_found);
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

TEST_F(ProcTree, RefusesWhatIsNoElfFileForThisMachine) {
  write("text", "#!/bin/sh\n");
  write("short",
        "\x7f"
        "ELF");
  EXPECT_EQ(ElfFile::open(root_ / "absent").error().kind(), ErrorKind::not_found);
  EXPECT_EQ(ElfFile::open(root_ / "text").error().kind(), ErrorKind::invalid);
  EXPECT_EQ(ElfFile::open(root_ / "short").error().kind(), ErrorKind::invalid);
  EXPECT_TRUE(ElfFile::open("/proc/self/exe"));
}

}  // namespace
}  // namespace goleakd::target
