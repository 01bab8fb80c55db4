// SPDX-License-Identifier: Apache-2.0
#include "target/go_binary.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "go_program_fixture.h"
#include "target/binary_cache.h"
#include "target/build_info.h"
#include "target/code.h"
#include "target/elf_file.h"

namespace goleakd::target {
namespace {

using Bytes = std::vector<std::uint8_t>;

TEST(BuildInfo, ReadsVersionModuleAndSettings) {
  const auto info = BuildInfo::parse(GoProgramFixture::build_info(
      "go1.22.12", "path\texample.com/shop/cmd\nmod\texample.com/shop\t(devel)\t\nbuild\t-race=true\n"));
  ASSERT_TRUE(info);
  EXPECT_EQ(info->version.minor, 22);
  EXPECT_EQ(info->path, "example.com/shop/cmd");
  EXPECT_EQ(info->module, "example.com/shop");
  EXPECT_EQ(info->module_version, "(devel)");
  EXPECT_EQ(info->settings.at("-race"), "true");
}

TEST(BuildInfo, RefusesWhatIsCutShortWithoutReadingPastIt) {
  const Bytes whole = GoProgramFixture::build_info("go1.22.12", "path\tx\n");
  for (std::size_t size = 0; size < 33 + 9; ++size) {
    EXPECT_FALSE(BuildInfo::parse(ByteSpan(whole).first(size))) << size;
  }
}

TEST(BuildInfo, OfOldProgramsSaysThatTheyAreOld) {
  Bytes old = GoProgramFixture::build_info("go1.17", "");
  old[15] = 0;  // pointers to strings, not strings
  const auto info = BuildInfo::parse(old);
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error().kind(), ErrorKind::unsupported);
  EXPECT_NE(info.error().message().find("Go 1.17 or older"), std::string::npos) << info.error().message();
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

TEST(GoBinary, IsReadWhole) {
  const auto binary = GoBinary::open(GoProgramFixture::file(GoProgramFixture::bytes()), "fixture");
  ASSERT_TRUE(binary) << binary.error().message();
  EXPECT_EQ((*binary)->build_info().version.text, "go1.27.4");
  EXPECT_EQ((*binary)->layout_origin(), LayoutOrigin::table);
  EXPECT_EQ((*binary)->functions().size(), 2U);
  EXPECT_EQ((*binary)->globals().allgs, GoProgramFixture::kAllgs);
  EXPECT_EQ((*binary)->globals().firstmoduledata, GoProgramFixture::kData);
  EXPECT_EQ((*binary)->globals().sched, 0U) << "there is nothing that it could be found by";
  const auto& frames = (*binary)->symbolizer().frames(PclntabFixture::kText + 0x50);
  ASSERT_FALSE(frames.empty());
  EXPECT_EQ(frames.back().function, "main.main");
}

// What a version that nobody knows is like, nobody knows: it is tried, and what does not fit is named.
TEST(GoBinary, OfAnUnknownVersionIsMarkedOrRefused) {
  const auto near = GoBinary::open(GoProgramFixture::file(GoProgramFixture::bytes("go1.99")), "fixture");
  ASSERT_TRUE(near) << near.error().message();
  EXPECT_EQ((*near)->layout_origin(), LayoutOrigin::nearest);
  Bytes changed = GoProgramFixture::bytes("go1.99");
  changed[std::search(changed.begin(), changed.end(), "\x49\x3b\x66", "\x49\x3b\x66" + 3) - changed.begin()] = 0x90;
  const auto far = GoBinary::open(GoProgramFixture::file(changed), "fixture");
  ASSERT_FALSE(far);
  EXPECT_EQ(far.error().kind(), ErrorKind::unsupported);
  EXPECT_NE(far.error().message().find("does not match the code"), std::string::npos) << far.error().message();
}

TEST(GoBinary, OfAnotherArchitectureIsNamed) {
  Bytes bytes = GoProgramFixture::bytes();
  bytes[offsetof(Elf64_Ehdr, e_machine)] = EM_AARCH64;
  const auto binary = GoBinary::open(GoProgramFixture::file(bytes), "fixture");
  ASSERT_FALSE(binary);
  EXPECT_EQ(binary.error().kind(), ErrorKind::unsupported);
  EXPECT_NE(binary.error().message().find("built for arm64"), std::string::npos) << binary.error().message();
}

TEST(GoBinary, SurvivesEveryFlippedByteOfItsTables) {
  const Bytes whole = GoProgramFixture::bytes();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    // Between the sections there is nothing but zeros.
    if (whole[at] == 0 && at % 64 != 0) continue;
    for (const int value : {0x01, 0xff}) {
      Bytes changed = whole;
      changed[at] = static_cast<std::uint8_t>(changed[at] ^ value);
      const auto binary = GoBinary::open(GoProgramFixture::file(changed), "fixture");
      if (!binary) {
        EXPECT_FALSE(binary.error().message().empty());
      } else {
        (*binary)->symbolizer().frames(PclntabFixture::kText + 0x50);
      }
    }
  }
}

class BinaryFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) / ("binaries" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const Bytes& bytes) {
    std::ofstream(folder_ / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return folder_ / name;
  }

  std::filesystem::path folder_;
};

TEST_F(BinaryFiles, WhatIsNoElfFileForThisMachineIsRefused) {
  const std::string text = "#!/bin/sh\n";
  EXPECT_EQ(ElfFile::open(folder_ / "absent").error().kind(), ErrorKind::not_found);
  EXPECT_EQ(ElfFile::open(write("text", Bytes(text.begin(), text.end()))).error().kind(), ErrorKind::invalid);
  EXPECT_EQ(ElfFile::open(write("short", {0x7f, 'E', 'L', 'F'})).error().kind(), ErrorKind::invalid);
  EXPECT_EQ(ElfFile::open(folder_).error().kind(), ErrorKind::invalid);
  EXPECT_TRUE(ElfFile::open("/proc/self/exe"));
}

// A header's claim of sizes is not believed before the file has them.
TEST_F(BinaryFiles, AClaimedSizeIsNotAllocated) {
  Bytes bytes = GoProgramFixture::bytes();
  Elf64_Ehdr header{};
  std::memcpy(&header, bytes.data(), sizeof(header));
  const std::size_t size_of_text = header.e_shoff + sizeof(Elf64_Shdr) + offsetof(Elf64_Shdr, sh_size);
  const std::uint64_t claim = 500U << 20U;
  std::memcpy(bytes.data() + size_of_text, &claim, sizeof(claim));
  const auto elf = ElfFile::open(write("liar", bytes));
  ASSERT_TRUE(elf) << elf.error().message();
  const auto text = elf->read_section(*elf->section(".text"));
  ASSERT_FALSE(text);
  EXPECT_NE(text.error().message().find("ends before its headers say"), std::string::npos);
}

TEST_F(BinaryFiles, OneBuildIsParsedOnce) {
  BinaryCache cache;
  const auto first = cache.open(write("a", GoProgramFixture::bytes()));
  ASSERT_TRUE(first) << first.error().message();
  EXPECT_EQ(*cache.open(folder_ / "a"), *first);
  const auto copy = cache.open(write("b", GoProgramFixture::bytes()));
  ASSERT_TRUE(copy);
  EXPECT_NE(*copy, *first) << "probes are attached to files, so each has its own";
  EXPECT_EQ(&(*copy)->functions(), &(*first)->functions());
  EXPECT_NE((*copy)->elf().own_path(), (*first)->elf().own_path());
  EXPECT_LT(cache.memory(), (*first)->memory() + (*copy)->memory());
}

// A build id is whatever somebody wrote there: only equal contents are the same program.
TEST_F(BinaryFiles, AlmostTheSameIsAnotherProgram) {
  BinaryCache cache;
  Bytes other = GoProgramFixture::bytes();
  other.back() = static_cast<std::uint8_t>(other.back() ^ 1U);
  const auto first = cache.open(write("a", GoProgramFixture::bytes()));
  const auto second = cache.open(write("b", other));
  ASSERT_TRUE(first && second);
  EXPECT_NE(&(*first)->functions(), &(*second)->functions());
}

TEST_F(BinaryFiles, AChangedFileIsReadAgain) {
  BinaryCache cache;
  const auto first = cache.open(write("a", GoProgramFixture::bytes()));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // times of files tick slower than that
  const auto second = cache.open(write("a", GoProgramFixture::bytes("go1.26.1")));
  ASSERT_TRUE(first && second);
  EXPECT_EQ((*second)->build_info().version.text, "go1.26.1");
  ASSERT_FALSE(cache.open(write("a", {'n', 'o'})));
}

TEST_F(BinaryFiles, WhatNoProcessNeedsGoesFirstWhenMemoryIsShort) {
  BinaryCache cache(1);  // byte: nothing fits
  auto needed = cache.open(write("a", GoProgramFixture::bytes("go1.26.1")));
  ASSERT_TRUE(needed);
  const std::size_t one = cache.memory();
  EXPECT_GT(one, 0U);
  {
    const auto spare = cache.open(write("b", GoProgramFixture::bytes("go1.26.2")));
    ASSERT_TRUE(spare);
  }
  const auto another = cache.open(write("c", GoProgramFixture::bytes("go1.26.3")));
  ASSERT_TRUE(another);
  EXPECT_EQ(cache.memory(), 2 * one) << "those that are in use: the first and the last";
  EXPECT_EQ(*cache.open(folder_ / "a"), *needed);

  BinaryCache roomy;
  const GoBinary* address = roomy.open(folder_ / "a")->get();
  EXPECT_EQ(roomy.open(folder_ / "a")->get(), address) << "parsed again although there was room";
}

TEST_F(BinaryFiles, WhatIsNoGoProgramIsRememberedToo) {
  BinaryCache cache;
  const auto first = cache.open("/bin/true");
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().kind(), ErrorKind::not_found);
  EXPECT_EQ(cache.open("/bin/true").error().message(), first.error().message());
  EXPECT_EQ(cache.memory(), 0U);
}

}  // namespace
}  // namespace goleakd::target
