// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "probe/site.h"

namespace goleakd::probe {
namespace {

using Bytes = std::vector<std::uint8_t>;

struct Prologue {
  const char* name;
  Bytes code;
  std::uint64_t offset;
  SiteKind kind;
};

// Recorded from real runtimes.
const std::vector<Prologue> kPrologues{
    {"gopark, Go 1.27",
     {0x49, 0x3b, 0x66, 0x10, 0x0f, 0x86, 0xce, 0x00, 0x00, 0x00, 0x55, 0x48, 0x89, 0xe5},
     10,
     SiteKind::push_frame},
    {"gopark, Go 1.19",
     {0x49, 0x3b, 0x66, 0x10, 0x0f, 0x86, 0xd9, 0x00, 0x00, 0x00, 0x48, 0x83, 0xec, 0x38},
     4,
     SiteKind::stack_check},
    {"a short jump", {0x49, 0x3b, 0x66, 0x10, 0x76, 0x4c, 0x55, 0x48, 0x89, 0xe5}, 6, SiteKind::push_frame},
    {"selectgo, large frame",
     {0x4c, 0x8d, 0x64, 0x24, 0xb0, 0x4d, 0x3b, 0x66, 0x10, 0x0f, 0x86, 0x10, 0x0a, 0x00, 0x00, 0x55},
     15,
     SiteKind::push_frame},
    {"casgstatus, nosplit", {0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x60}, 0, SiteKind::push_frame},
};

TEST(EntrySite, IsTheCheapInstructionOfEachKnownPrologue) {
  for (const Prologue& prologue : kPrologues) {
    const auto site = entry_site(prologue.code, 0x1000, prologue.name);
    ASSERT_TRUE(site) << prologue.name;
    EXPECT_EQ(site->address, 0x1000 + prologue.offset) << prologue.name;
    EXPECT_EQ(site->kind, prologue.kind) << prologue.name;
  }
}

TEST(EntrySite, RefusesWhatItDoesNotKnow) {
  const std::vector<Bytes> unknown{
      {},
      {0x48, 0x83, 0xec, 0x18, 0x55},                    // sub $24,%rsp first (a nosplit function of Go 1.19)
      {0x48, 0x89, 0xd8, 0x55},                          // mov %rbx,%rax
      {0x49, 0x3b, 0x66, 0x10, 0x90, 0x90, 0x90, 0x90},  // a compare, and no jump
      {0x4c, 0x89, 0xe2, 0x49, 0x3b, 0x66, 0x10},        // the prologue of very large frames
      {0xff, 0xff, 0xff, 0xff},                          // no instruction
  };
  for (const Bytes& code : unknown) {
    const auto site = entry_site(code, 0x1000, "runtime.f");
    ASSERT_FALSE(site);
    EXPECT_EQ(site.error().kind(), ErrorKind::unsupported);
    EXPECT_NE(site.error().message().find("runtime.f"), std::string::npos);
  }
}

TEST(ColdEntrySite, MayBeTheSubThatIsSteppedButNothingElse) {
  const Bytes nosplit{0x48, 0x83, 0xec, 0x18, 0x55};  // throw, Go 1.19: sub $24,%rsp
  const auto site = cold_entry_site(nosplit, 0x1000, "runtime.throw");
  ASSERT_TRUE(site) << site.error().message();
  EXPECT_EQ(site->address, 0x1000U);
  EXPECT_EQ(site->kind, SiteKind::stepped);
  for (const Prologue& prologue : kPrologues) {
    const auto cheap = cold_entry_site(prologue.code, 0x1000, prologue.name);
    ASSERT_TRUE(cheap) << prologue.name;
    EXPECT_EQ(cheap->kind, prologue.kind) << prologue.name;
  }
  EXPECT_FALSE(cold_entry_site(Bytes{0x48, 0x89, 0xd8, 0x55}, 0x1000, "runtime.f"));  // mov %rbx,%rax
  EXPECT_FALSE(cold_entry_site(Bytes{0x48, 0x29, 0xc4, 0x55}, 0x1000, "runtime.f"));  // sub %rax,%rsp
}

}  // namespace
}  // namespace goleakd::probe
