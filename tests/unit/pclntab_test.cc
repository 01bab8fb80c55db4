// SPDX-License-Identifier: Apache-2.0
#include "target/pclntab.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "pclntab_fixture.h"
#include "target/symbolizer.h"

namespace goleakd::target {
namespace {

using Bytes = std::vector<std::uint8_t>;

class EveryForm : public ::testing::TestWithParam<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Pclntab, EveryForm,
                         ::testing::Values(PclntabFixture::kGo116, PclntabFixture::kGo118, PclntabFixture::kGo120));

TEST_P(EveryForm, FindsFunctionsByAddressAndByName) {
  const auto table = Pclntab::parse(PclntabFixture::bytes(GetParam()), PclntabFixture::kText);
  ASSERT_TRUE(table) << table.error().message();
  EXPECT_EQ(table->size(), 2U);
  EXPECT_FALSE(table->function_at(PclntabFixture::kText - 1));
  EXPECT_EQ(table->function_at(PclntabFixture::kText)->name, "runtime.park_m");
  EXPECT_EQ(table->function_at(PclntabFixture::kText + 0x3f)->name, "runtime.park_m");
  EXPECT_EQ(table->function_at(PclntabFixture::kText + 0x40)->name, "main.main");
  EXPECT_FALSE(table->function_at(PclntabFixture::kText + 0x80));
  EXPECT_TRUE(table->runtime_function("runtime.park_m"));
  EXPECT_FALSE(table->runtime_function("main.main"));
}

TEST_P(EveryForm, DecodesWhatIsKnownOfAPc) {
  const auto table = Pclntab::parse(PclntabFixture::bytes(GetParam()), PclntabFixture::kText);
  const auto function = *table->function_at(PclntabFixture::kText + 0x40);
  EXPECT_EQ(function.id, 1);
  EXPECT_TRUE(function.top_frame);
  EXPECT_EQ(table->sp_delta(function, function.entry), 0);
  EXPECT_EQ(table->sp_delta(function, function.entry + 0x10), 24);
  EXPECT_EQ(table->line(function, function.entry).line, 7);
  EXPECT_EQ(table->line(function, function.entry + 0x20).line, 9);
  EXPECT_EQ(table->line(function, function.entry).file, "/src/main.go");
  EXPECT_EQ(table->pcdata(function, 2, function.entry), 0);
  EXPECT_EQ(table->pcdata(function, 1, function.entry), -1);
  EXPECT_EQ(table->funcdata(function, 3), 0x30U);
  EXPECT_FALSE(table->funcdata(function, 2));
  EXPECT_FALSE(table->funcdata(function, 4));
}

// The table belongs to others: whatever is cut off or overwritten gives an error or unknown values, never a read
// outside, nor a function outside of the table's own range.
TEST_P(EveryForm, SurvivesEveryTruncationAndEveryFlippedByte) {
  const Bytes whole = PclntabFixture::bytes(GetParam());
  const auto touch = [](Bytes bytes) {
    const auto table = Pclntab::parse(std::move(bytes), PclntabFixture::kText);
    if (!table) return;
    for (std::uint64_t pc = PclntabFixture::kText; pc < PclntabFixture::kText + 0x80; pc += 8) {
      const auto function = table->function_at(pc);
      if (!function) continue;
      EXPECT_LE(function->entry, function->end);
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
}

TEST(Pclntab, SaysThatAFormIsUnknown) {
  Bytes bytes = PclntabFixture::bytes();
  bytes[0] = 0xf7;
  const auto table = Pclntab::parse(bytes, PclntabFixture::kText);
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error().kind(), ErrorKind::unsupported);
  EXPECT_FALSE(Pclntab::header(bytes));
}

TEST(Symbolizer, ShortensTypeArgumentsAsTracebacksDo) {
  EXPECT_EQ(printable_function("main.f[go.shape.int]"), "main.f[...]");
  EXPECT_EQ(printable_function("main.(*T[go.shape.struct { a [4]int }]).Do.func1"), "main.(*T[...]).Do.func1");
  EXPECT_EQ(printable_function("main.main"), "main.main");
}

}  // namespace
}  // namespace goleakd::target
