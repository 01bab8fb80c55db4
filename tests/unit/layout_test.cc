// SPDX-License-Identifier: Apache-2.0
#include "target/layout.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "dwarf_fixture.h"
#include "target/dwarf_layout.h"
#include "target/layout_fields.h"

namespace goleakd::target {
namespace {

GoVersion version(std::string_view text) { return GoVersion::parse(text).value(); }

LayoutChoice choose(std::string_view text, bool race = false) { return layout_for(version(text), race).value(); }

// Every size and offset, for comparing.
std::vector<std::uint32_t> numbers(Layout layout) {
  std::vector<std::uint32_t> all;
  for (const LayoutStruct& entry : fields_of(layout)) {
    all.push_back(*entry.size);
    for (const LayoutField& field : entry.fields) all.push_back(*field.offset);
  }
  return all;
}

TEST(GoVersion, TakesReleasesAndKeepsTheirWholeText) {
  EXPECT_EQ(version("go1.19.8").minor, 19);
  EXPECT_EQ(version("go1.27").minor, 27);
  EXPECT_EQ(version("go1.24.4 X:synchashtriemap").text, "go1.24.4 X:synchashtriemap");
  for (const char* text : {"go1.19.8", "go1.27", "go1.24.4 X:synchashtriemap", "go1.26.11-X:jsonv2"}) {
    EXPECT_FALSE(version(text).development || version(text).patched) << text;
  }
  for (const char* text : {"", "go", "go1.", "go2.1", "go1.x", "devel", "devel +0a1b2c3d", "1.24", "go1.99999999999"}) {
    EXPECT_FALSE(GoVersion::parse(text)) << text;
  }
}

TEST(GoVersion, TellsDevelopmentAndVendorsFromReleases) {
  for (const char* text : {"devel go1.28-0a1b2c3d Tue Nov 24 10:00:00 2026 +0000", "go1.28-devel_0a1b2c3d", "go1.28rc1",
                           "go1.28beta2", "devel go1.28-0a1b X:arenas"}) {
    EXPECT_EQ(version(text).minor, 28) << text;
    EXPECT_TRUE(version(text).development) << text;
    EXPECT_FALSE(version(text).patched) << text;
  }
  for (const char* text :
       {"go1.22.5-fips", "go1.22.5 (Red Hat 1.22.5-1)", "go1.22.5b7", "go1.22-20240626-RC01 +5a18 X:a", "go1.22."}) {
    EXPECT_EQ(version(text).minor, 22) << text;
    EXPECT_TRUE(version(text).patched) << text;
    EXPECT_FALSE(version(text).development) << text;
  }
}

TEST(GoVersion, ReadsExperimentsOfEitherSpelling) {
  const std::vector<std::string> both{"arenas", "loopvar"};
  EXPECT_EQ(version("go1.24.4 X:loopvar,arenas").experiments, both);
  EXPECT_EQ(version("go1.26.1-X:loopvar,arenas").experiments, both);
  EXPECT_EQ(version("go1.22.5 X:loopvar,arenas (Red Hat 1.22.5-1)").experiments, both);
  EXPECT_EQ(version("go1.22.5-fips X:,loopvar,,arenas,").experiments, both);
  EXPECT_TRUE(version("go1.24.4").experiments.empty());
}

TEST(Layout, EveryReleaseOfTheTableIsFoundAsItself) {
  EXPECT_EQ(supported_versions(), "1.19, 1.20, 1.21, 1.22, 1.23, 1.24, 1.25, 1.26, 1.27");
  for (int minor = 19; minor <= 27; ++minor) {
    const auto choice = choose("go1." + std::to_string(minor) + ".3");
    EXPECT_EQ(choice.origin, LayoutOrigin::table);
    EXPECT_EQ(choice.layout->minor, minor);
    EXPECT_EQ(choice.layout->key, "");
    EXPECT_EQ(choice.layout->wait_reason(2), "IO wait");
    EXPECT_EQ(choice.layout->wait_reason(255), "unknown wait reason");
  }
  EXPECT_EQ(choose("go1.23.5").layout->g.goid, 160U);
  EXPECT_EQ(choose("go1.27.4").layout->wait_reason(19), "chan receive");
}

TEST(Layout, WhatAVersionLacksIsAbsent) {
  EXPECT_FALSE(present(choose("go1.20.5").layout->g.parent_goid));
  EXPECT_TRUE(present(choose("go1.21.5").layout->g.parent_goid));
  EXPECT_FALSE(present(choose("go1.21.5").layout->g.coroarg));
  EXPECT_TRUE(present(choose("go1.22.5").layout->g.coroarg));
  EXPECT_FALSE(present(choose("go1.19.8").layout->time_histogram.overflow));
  EXPECT_FALSE(present(choose("go1.25.1").layout->sched.goroutines_created));
  EXPECT_TRUE(present(choose("go1.26.1").layout->sched.goroutines_created));
}

TEST(Layout, EveryOffsetIsWithinItsStruct) {
  for (int minor = 19; minor <= 27; ++minor) {
    Layout layout = *choose("go1." + std::to_string(minor)).layout;
    for (const LayoutStruct& entry : fields_of(layout)) {
      for (const LayoutField& field : entry.fields) {
        if (!present(*field.offset) || field.name == "table_entry") continue;
        EXPECT_LT(*field.offset, *entry.size) << minor << ' ' << entry.name << '.' << field.name;
      }
    }
    EXPECT_GE(layout.sema_root.table_entry, layout.sema_root.size);
  }
}

TEST(Layout, HarmlessExperimentsAndRaceModeAreThePlainLayout) {
  for (const char* text : {"go1.24.4 X:arenas", "go1.26.1-X:arenas,jsonv2", "go1.27.1-X:nojsonv2"}) {
    EXPECT_EQ(choose(text).origin, LayoutOrigin::table) << text;
    EXPECT_EQ(choose(text).layout->key, "") << text;
    EXPECT_EQ(choose(text, true).origin, LayoutOrigin::table) << text;
  }
}

TEST(Layout, AnExperimentThatMovesFieldsHasItsOwn) {
  const auto plain = choose("go1.24.4");
  for (const char* text : {"go1.24.4 X:staticlockranking", "go1.24.4 X:arenas,staticlockranking"}) {
    const auto ranked = choose(text);
    EXPECT_EQ(ranked.origin, LayoutOrigin::table) << text;
    EXPECT_EQ(ranked.layout->key, "X:staticlockranking") << text;
    EXPECT_GT(ranked.layout->hchan.size, plain.layout->hchan.size) << text;
    EXPECT_EQ(ranked.layout->wait_reasons.data(), plain.layout->wait_reasons.data()) << text;
  }
}

TEST(Layout, TheGarbageCollectorOfChoiceMovesOneCounter) {
  const auto green = choose("go1.26.1");
  const auto old = choose("go1.26.1-X:nogreenteagc");
  EXPECT_EQ(old.origin, LayoutOrigin::table);
  EXPECT_NE(old.layout->p.goroutines_created, green.layout->p.goroutines_created);
  EXPECT_EQ(old.layout->g.goid, green.layout->g.goid);
}

TEST(Layout, OfWhatIsNotExactlyKnownTheNearestAndNoMore) {
  for (const char* text : {"go1.28.1", "go1.18.3", "devel go1.27-0a1b", "go1.27rc2", "go1.22.5-fips",
                           "go1.24.4 X:neverheardof", "go1.24.4 X:neverheardof,staticlockranking"}) {
    EXPECT_EQ(choose(text).origin, LayoutOrigin::nearest) << text;
  }
  EXPECT_EQ(choose("go1.28.1").layout->minor, 27);
  EXPECT_EQ(choose("go1.2147483647").layout->minor, 27);
  EXPECT_EQ(choose("go1.18.3").layout->minor, 19);
  EXPECT_EQ(choose("go1.22.5-fips").layout->minor, 22);
  EXPECT_EQ(choose("go1.24.4 X:neverheardof,staticlockranking").layout->key, "X:staticlockranking");
  // Nobody has built Go 1.20 here: whether race mode changes it was not measured.
  EXPECT_EQ(choose("go1.20.5", true).origin, LayoutOrigin::nearest);
}

TEST(Layout, TooOldIsRefusedWithWhatIsKnown) {
  const auto refused = layout_for(version("go1.17.13"), false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::unsupported);
  EXPECT_NE(refused.error().message().find("go1.17.13 is too old"), std::string::npos) << refused.error().message();
  EXPECT_NE(refused.error().message().find("1.19, 1.20"), std::string::npos) << refused.error().message();
}

TEST(DwarfLayout, IsReadFieldByField) {
  Layout expected;
  const DwarfFixture fixture(expected);
  const UniqueFd file = fixture.file();
  const auto read = layout_from_dwarf(file.get(), "made-up", version("go1.28.1"));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(numbers(*read), numbers(expected));
  EXPECT_EQ(read->func_id_wrapper, DwarfFixture::kFuncIdWrapper);
  EXPECT_EQ(read->wait_reasons.data(), choose("go1.27").layout->wait_reasons.data());
}

TEST(DwarfLayout, TypesThatTheProgramHasNoneOfAreTheNearestOnes) {
  Layout expected;
  const UniqueFd file = DwarfFixture(expected, {"cond", "notify_list"}).file();
  const auto read = layout_from_dwarf(file.get(), "made-up", version("go1.28.1"));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->g.size, DwarfFixture::kStructSize);
  EXPECT_EQ(read->notify_list.size, choose("go1.27").layout->notify_list.size);

  const UniqueFd less = DwarfFixture(expected, {"sudog"}).file();
  const auto refused = layout_from_dwarf(less.get(), "made-up", version("go1.28.1"));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("lacks runtime.sudog"), std::string::npos) << refused.error().message();
}

TEST(DwarfLayout, AFieldThatIsGoneOrOfAnotherWidthIsNamed) {
  Layout expected;
  for (const auto& [from, to] : {std::pair{std::string("goid\0", 5), std::string("gold\0", 5)},
                                 std::pair{std::string("\5number\0\4", 9), std::string("\5number\0\5", 9)}}) {
    DwarfFixture fixture(expected);
    fixture.info().replace(fixture.info().find(from), from.size(), to);
    const UniqueFd file = fixture.file();
    const auto refused = layout_from_dwarf(file.get(), "made-up", version("go1.28.1"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind(), ErrorKind::invalid);
    EXPECT_NE(refused.error().message().find("runtime.g has no"), std::string::npos) << refused.error().message();
  }
}

TEST(DwarfLayout, TypedefsInACircleEnd) {
  Layout expected;
  DwarfFixture fixture(expected);
  // Every typedef becomes one of itself.
  std::string& info = fixture.info();
  const std::string typedef_entry = std::string("\4runtime.number\0", 16);
  for (std::size_t at = info.find(typedef_entry); at != std::string::npos; at = info.find(typedef_entry, at + 1)) {
    const auto self = static_cast<std::uint32_t>(at);
    std::memcpy(info.data() + at + typedef_entry.size(), &self, sizeof self);
  }
  const UniqueFd file = fixture.file();
  EXPECT_FALSE(layout_from_dwarf(file.get(), "made-up", version("go1.28.1")));
}

TEST(DwarfLayout, ASizeThatCannotBeTrueIsRefusedBeforeItIsAllocated) {
  Layout expected;
  const DwarfFixture fixture(expected);
  for (const std::uint64_t promised : {std::uint64_t{1} << 40U, ~std::uint64_t{0}}) {
    const UniqueFd file = fixture.file(promised);
    const auto refused = layout_from_dwarf(file.get(), "made-up", version("go1.28.1"));
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message().find("more than 512 MiB"), std::string::npos) << refused.error().message();
  }
}

// Whatever a byte becomes, the reader ends with a layout or an error; sanitizers watch that it reads nothing else.
TEST(DwarfLayout, AnyByteMayBeAnything) {
  Layout expected;
  DwarfFixture fixture(expected);
  std::string& info = fixture.info();
  int refused = 0;
  for (std::size_t at = 11; at < info.size(); ++at) {
    const char before = info[at];
    for (const int value : {0x00, 0x7f, 0xff}) {
      info[at] = static_cast<char>(value);
      const UniqueFd file = fixture.file();
      refused += layout_from_dwarf(file.get(), "made-up", version("go1.28.1")) ? 0 : 1;
    }
    info[at] = before;
  }
  EXPECT_GT(refused, 1000);
}

TEST(DwarfLayout, OtherFilesHaveNone) {
  const UniqueFd self(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));  // an ELF file, of no Go
  const auto none = layout_from_dwarf(self.get(), "self", version("go1.27.1"));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind(), ErrorKind::not_found) << none.error().message();
  const UniqueFd empty(open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_FALSE(layout_from_dwarf(empty.get(), "/dev/null", version("go1.27.1")));
  EXPECT_FALSE(layout_from_dwarf(-1, "nothing", version("go1.27.1")));
}

}  // namespace
}  // namespace goleakd::target
