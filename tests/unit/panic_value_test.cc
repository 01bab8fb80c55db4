// SPDX-License-Identifier: Apache-2.0
// What is said of the values of panics, from copies of their first bytes.
#include "snapshot/panic_value.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "fake_memory.h"
#include "target/go_version.h"

namespace goleakd::snapshot {
namespace {

constexpr std::uint64_t kModule = 0x600000;
constexpr std::uint64_t kTypes = 0x500000;
constexpr std::uint64_t kTexts = 0x400000;  // what is constant

class PanicValueTest : public ::testing::Test {
 protected:
  PanicValueTest() {
    memory_.map(kModule, layout().moduledata.size);
    memory_.put(kModule + layout().moduledata.types, kTypes);
    memory_.put(kModule + layout().moduledata.etypes, kTypes + 0x4000);
    memory_.map(kTypes, 0x4000);
    memory_.map(kTexts, 0x1000);
  }

  static const target::Layout& layout() {
    static const target::LayoutChoice kChoice = *target::layout_for(*target::GoVersion::parse("go1.27.4"), false);
    return *kChoice.layout;
  }

  std::uint64_t type(const std::string& name, std::uint8_t kind) {
    const std::uint64_t at = kTypes + next_;
    next_ += 0x200;
    const std::uint64_t text = at + 0x80;
    memory_.put(at + layout().type.str, static_cast<std::int32_t>(text - kTypes));
    memory_.put(at + layout().type.kind, kind);
    std::uint64_t c = text + 1;
    if (name.size() > 0x7f) {  // a varint
      memory_.put(c++, static_cast<std::uint8_t>(0x80U | (name.size() & 0x7fU)));
      memory_.put(c++, static_cast<std::uint8_t>(name.size() >> 7U));
    } else {
      memory_.put(c++, static_cast<std::uint8_t>(name.size()));
    }
    for (const char letter : name) memory_.put(c++, letter);
    return at;
  }

  template <typename... Words>
  static std::vector<std::uint8_t> bytes(Words... words) {
    std::vector<std::uint8_t> all;
    const auto add = [&](auto word) {
      const std::size_t at = all.size();
      all.resize(at + sizeof(word));
      std::memcpy(all.data() + at, &word, sizeof(word));
    };
    (add(words), ...);
    return all;
  }

  PanicValues values() {
    return {memory_, layout(), kModule,
            [](std::uint64_t address) { return address >= kTexts && address < kTexts + 0x1000; }};
  }
  std::optional<std::string> text(std::uint64_t type, const std::vector<std::uint8_t>& value,
                                  const CopiedText& text = {}) {
    return values().text({.type = type, .bytes = value, .text = text});
  }

  FakeMemory memory_;
  std::uint64_t next_ = 0x200;
};

constexpr std::uint8_t kString = 24;
constexpr std::uint8_t kStruct = 25;
constexpr std::uint8_t kPointer = 22;

TEST_F(PanicValueTest, StringsAndErrorsThatBeginWithOneSayIt) {
  const CopiedText said{.address = 0xc000001000, .length = 7, .bytes = "no cart"};
  const auto header = bytes(said.address, said.length);
  EXPECT_EQ(text(type("string", kString), header, said), "no cart");
  EXPECT_EQ(text(type("main.reason", kString), header, said), "no cart");
  EXPECT_EQ(text(type("*errors.errorString", kPointer), header, said), "no cart");
  EXPECT_EQ(text(type("*fmt.wrapError", kPointer), header, said), "no cart");
  EXPECT_EQ(text(type("runtime.plainError", kString), header, said), "no cart");
  EXPECT_EQ(text(type("runtime.errorString", kString), header, said), "runtime error: no cart");
  EXPECT_EQ(text(type("runtime.errorAddressString", kStruct), header, said), "runtime error: no cart");
}

// What stands at the beginning of others may be a text; nobody knows.
TEST_F(PanicValueTest, OthersSayNothing) {
  const CopiedText said{.address = 0xc000001000, .length = 7, .bytes = "no cart"};
  EXPECT_FALSE(text(type("*main.failure", kPointer), bytes(said.address, said.length), said));
  EXPECT_FALSE(text(0xdeadbeef, bytes(said.address, said.length), said));
  EXPECT_EQ(values().kind({}), "nil");
  EXPECT_EQ(values().kind({.type = 0xdeadbeef, .bytes = {}, .text = {}}), "");
  EXPECT_EQ(values().kind({.type = type("main.bug", kStruct), .bytes = {}, .text = {}}), "main.bug");
}

TEST_F(PanicValueTest, NumbersAreShown) {
  EXPECT_EQ(text(type("bool", 1), bytes(std::uint8_t{1})), "true");
  EXPECT_EQ(text(type("int", 2), bytes(std::int64_t{-42})), "-42");
  EXPECT_EQ(text(type("int8", 3), bytes(std::int8_t{-5})), "-5");
  EXPECT_EQ(text(type("main.code", 5), bytes(std::int32_t{70000})), "70000");
  EXPECT_EQ(text(type("uint8", 8), bytes(std::uint8_t{200})), "200");
  EXPECT_EQ(text(type("syscall.Errno", 12), bytes(std::uint64_t{2})), "2");
  EXPECT_EQ(text(type("float64", 14), bytes(2.5)), "2.5");
  EXPECT_FALSE(text(type("int", 2), {})) << "it could not be read";
}

TEST_F(PanicValueTest, BoundsErrorsAreSpeltOut) {
  const std::uint64_t bounds = type("runtime.boundsError", kStruct);
  const auto of = [&](std::int64_t x, std::int64_t y, std::uint8_t is_signed, std::uint8_t code) {
    return text(bounds, bytes(x, y, is_signed, code, std::uint8_t{0}, std::uint8_t{0})).value_or("?");
  };
  const std::string error = "runtime error: ";
  EXPECT_EQ(of(5, 3, 1, 0), error + "index out of range [5] with length 3");
  EXPECT_EQ(of(-1, 3, 1, 0), error + "index out of range [-1]");
  EXPECT_EQ(of(-1, 3, 0, 0), error + "index out of range [18446744073709551615] with length 3");
  EXPECT_EQ(of(5, 3, 1, 2), error + "slice bounds out of range [:5] with capacity 3");
  EXPECT_EQ(of(std::numeric_limits<std::int64_t>::min(), 3, 1, 3),
            error + "slice bounds out of range [-9223372036854775808:]");
  EXPECT_EQ(of(8, 4, 1, 8), error + "cannot convert slice with length 4 to array or pointer to array with length 8");
  EXPECT_EQ(of(1, 2, 1, 9), "?");
  EXPECT_EQ(of(1, 2, 1, 255), "?");
  EXPECT_FALSE(text(bounds, bytes(std::int64_t{1}, std::int64_t{2}))) << "cut short";
}

TEST_F(PanicValueTest, TypeAssertionsNameTheirTypes) {
  const std::uint64_t error = type("*runtime.TypeAssertionError", kPointer);
  const std::uint64_t any = type("interface {}", 20);
  const std::uint64_t string = type("string", kString);
  const std::uint64_t stringer = type("fmt.Stringer", 20);
  const std::uint64_t none = 0;
  const std::string said = "interface conversion: ";
  EXPECT_EQ(text(error, bytes(any, string, stringer, none, none)), said + "interface {} is string, not fmt.Stringer");
  EXPECT_EQ(text(error, bytes(none, none, string, none, none)), said + "interface is nil, not string");
  for (std::size_t i = 0; i < 6; ++i) memory_.put(kTexts + 0x10 + i, "String"[i]);
  EXPECT_EQ(text(error, bytes(any, string, stringer, kTexts + 0x10, std::uint64_t{6})),
            said + "string is not fmt.Stringer: missing method String");
  EXPECT_EQ(text(error, bytes(any, string, stringer, std::uint64_t{0xc000000000}, std::uint64_t{6})),
            said + "string is not fmt.Stringer: missing method ?");
  EXPECT_FALSE(text(error, bytes(any, string, std::uint64_t{0xdead})));
}

TEST_F(PanicValueTest, WhatCouldNotBeCopiedIsReadWhereItCannotHaveChanged) {
  for (std::size_t i = 0; i < 5; ++i) memory_.put(kTexts + i, "asleep"[i]);
  memory_.map(0xc000000000, 0x1000);
  EXPECT_EQ(values().text(CopiedText{.address = kTexts, .length = 5, .bytes = {}}), "aslee");
  EXPECT_FALSE(values().text(CopiedText{.address = 0xc000000000, .length = 5, .bytes = {}}));
  EXPECT_EQ(values().text(CopiedText{.address = 0, .length = 0, .bytes = {}}), "");
  // However long it claims to be.
  const auto bounded = values().text(CopiedText{.address = kTexts, .length = ~std::uint64_t{0}, .bytes = {}});
  ASSERT_TRUE(bounded);
  EXPECT_EQ(bounded->size(), 256U);
  EXPECT_FALSE(values().text(CopiedText{.address = kTexts + 0xfff, .length = 100, .bytes = {}}));
}

TEST_F(PanicValueTest, NamesOfTypesAreBounded) {
  const std::string long_name(300, 'x');
  EXPECT_EQ(values().kind({.type = type(long_name, kStruct), .bytes = {}, .text = {}}), std::string(128, 'x') + "...");
}

}  // namespace
}  // namespace goleakd::snapshot
