// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/day.h"
#include "base/duration.h"
#include "base/error.h"
#include "base/glob.h"
#include "base/hash.h"
#include "base/size.h"
#include "base/unique_fd.h"

namespace goleakd {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(Size, IsParsedWithItsUnit) {
  EXPECT_EQ(parse_size("64KiB"), 64U << 10U);
  EXPECT_EQ(parse_size("256MiB"), 256U << 20U);
  EXPECT_EQ(parse_size("2GiB"), std::uint64_t{2} << 30U);
  EXPECT_EQ(parse_size("1TiB"), std::uint64_t{1} << 40U);
  for (const char* wrong : {"", "1", "MiB", "1MB", "1.5GiB", "-1MiB", "+1MiB", " 1MiB", "1 MiB", "1MiBx", "99999999TiB",
                            "99999999999999999999KiB"}) {
    const auto size = parse_size(wrong);
    ASSERT_FALSE(size) << wrong;
    EXPECT_EQ(size.error().kind(), ErrorKind::invalid);
  }
}

TEST(Duration, IsParsed) {
  const std::array<std::pair<const char*, nanoseconds>, 9> table{{{"300ms", milliseconds(300)},
                                                                  {"90s", seconds(90)},
                                                                  {"5m", minutes(5)},
                                                                  {"1h", hours(1)},
                                                                  {"2d", hours(48)},
                                                                  {"1h30m", minutes(90)},
                                                                  {"1m500ms", milliseconds(60'500)},
                                                                  {"0s", nanoseconds(0)},
                                                                  {"106751d", hours(106751 * 24)}}};
  for (const auto& [text, value] : table) {
    const auto parsed = parse_duration(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, value) << text;
  }
}

TEST(Duration, RefusesWhatItWouldHaveToGuess) {
  for (const char* text :
       {"", "5", "s", "-5s", "5 s", "5x", "1.5h", "5m3", "106752d", "99999999999999999999s", "1h-30m"}) {
    const auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind(), ErrorKind::invalid);
    EXPECT_NE(parsed.error().message().find(std::string("\"") + text + "\""), std::string::npos);
  }
}

TEST(Duration, IsShownAsPeopleSayIt) {
  const std::array<std::pair<nanoseconds, const char*>, 11> table{{{nanoseconds(0), "0ms"},
                                                                   {milliseconds(350), "350ms"},
                                                                   {seconds(12), "12s"},
                                                                   {seconds(12) + milliseconds(900), "12s"},
                                                                   {seconds(250), "4m10s"},
                                                                   {minutes(60), "1h"},
                                                                   {minutes(185), "3h5m"},
                                                                   {hours(1) + seconds(5), "1h"},
                                                                   {hours(49), "2d1h"},
                                                                   {hours(48) + minutes(59), "2d"},
                                                                   {-seconds(90), "-1m30s"}}};
  for (const auto& [value, text] : table) EXPECT_EQ(format_duration(value), text);
}

TEST(Day, IsOneOfTheCalendar) {
  const auto day = parse_day("2028-02-29");
  ASSERT_TRUE(day);
  EXPECT_EQ(format_day(*day), "2028-02-29");
  EXPECT_EQ(*day, std::chrono::sys_days(std::chrono::year(2028) / 2 / 29));
  for (const char* text : {"", "2027-02-29", "2027-13-01", "2027-01-31 ", "31.1.2027", "2027-01"}) {
    EXPECT_FALSE(parse_day(text)) << text;
  }
}

TEST(Day, HasATime) {
  const std::chrono::sys_days day(std::chrono::year(2027) / 1 / 31);
  EXPECT_EQ(format_utc(day + hours(13) + minutes(5) + milliseconds(999)), "2027-01-31 13:05:00 UTC");
  EXPECT_EQ(format_utc(day - seconds(1)), "2027-01-30 23:59:59 UTC");
}

TEST(Glob, TheStarAloneHasAMeaning) {
  EXPECT_TRUE(matches_glob("net/http.(*Server).Serve", "net/http.(*Server).Serve"));
  EXPECT_TRUE(matches_glob("a*c*", "abbcbc"));
  EXPECT_TRUE(matches_glob("*", ""));
  EXPECT_TRUE(matches_glob("", ""));
  EXPECT_FALSE(matches_glob("", "a"));
  EXPECT_FALSE(matches_glob("a?[b]", "axb"));
  EXPECT_FALSE(matches_glob("a*c", "abcd"));
}

TEST(StableHash, NeverChanges) {
  EXPECT_EQ(StableHash().hex(), "cbf29ce484222325");  // FNV-1a's offset
  EXPECT_EQ(StableHash().add("").hex(), "af63bd4c8601b7df");
  EXPECT_EQ(StableHash().add("goleakd").add(std::uint64_t{7}).hex(), "4798c0c89b89afeb");
  EXPECT_EQ(StableHash().add("a").value(), 0x089be207b544f1e4U);
}

TEST(StableHash, SeparatesParts) {
  EXPECT_NE(StableHash().add("ab").add("c").value(), StableHash().add("a").add("bc").value());
  EXPECT_NE(StableHash().add(std::uint64_t{1}).value(), StableHash().add(std::uint64_t{256}).value());
}

TEST(Bytes, AreReadOnlyInside) {
  const std::vector<std::uint8_t> bytes{0x01, 0x02, 0x03, 0x04, 0x05};
  EXPECT_EQ(read_at<std::uint32_t>(bytes, 1), 0x05040302U);
  EXPECT_EQ(read_at<std::uint8_t>(bytes, 4), 5U);
  EXPECT_FALSE(read_at<std::uint32_t>(bytes, 2));
  EXPECT_FALSE(read_at<std::uint8_t>(bytes, 5));
  EXPECT_FALSE(read_at<std::uint64_t>(bytes, std::numeric_limits<std::uint64_t>::max() - 3));
}

TEST(Bytes, AreSlicedInside) {
  const std::vector<std::uint8_t> bytes{1, 2, 3, 4};
  EXPECT_EQ(slice(bytes, 1, 2).size(), 2U);
  EXPECT_EQ(slice(bytes, 1).size(), 3U);
  EXPECT_EQ(slice(bytes, 3, 100).size(), 1U);
  EXPECT_TRUE(slice(bytes, 4).empty());
  EXPECT_TRUE(slice(bytes, 5).empty());
  EXPECT_TRUE(slice(bytes, std::numeric_limits<std::uint64_t>::max(), 2).empty());
}

TEST(Bytes, TextMustEndInside) {
  const std::vector<std::uint8_t> bytes{'g', 'o', 0, 'x'};
  EXPECT_EQ(c_string_at(bytes, 0), "go");
  EXPECT_EQ(c_string_at(bytes, 1), "o");
  EXPECT_EQ(c_string_at(bytes, 2), "");
  EXPECT_EQ(c_string_at(bytes, 3), "");
  EXPECT_EQ(c_string_at(bytes, 9), "");
}

TEST(Bytes, VarintsAreBounded) {
  const auto read = [](std::vector<std::uint8_t> bytes, std::uint64_t& offset) { return read_uvarint(bytes, offset); };
  std::uint64_t offset = 0;
  EXPECT_EQ(read({0x05}, offset), 5U);
  EXPECT_EQ(offset, 1U);
  offset = 0;
  EXPECT_EQ(read({0xac, 0x02, 0xff}, offset), 300U);
  EXPECT_EQ(offset, 2U);
  offset = 0;
  EXPECT_FALSE(read({0x80, 0x80}, offset));  // cut short
  offset = 0;
  EXPECT_FALSE(read(std::vector<std::uint8_t>(11, 0x80), offset));  // longer than 64 bits
  offset = 7;
  EXPECT_FALSE(read({0x01}, offset));
}

TEST(Error, KnowsWhatErrnoMeans) {
  const std::array<std::pair<int, ErrorKind>, 5> table{{{EPERM, ErrorKind::permission},
                                                        {EACCES, ErrorKind::permission},
                                                        {ESRCH, ErrorKind::gone},
                                                        {ENOENT, ErrorKind::not_found},
                                                        {EIO, ErrorKind::system}}};
  for (const auto& [number, kind] : table) EXPECT_EQ(Error::from_errno(number, "opening").kind(), kind);
  EXPECT_EQ(Error::from_errno(ENOENT, "opening /x").message(), "opening /x: No such file or directory");
}

TEST(Error, GathersContext) {
  const Error error = Error(ErrorKind::gone, "process has ended").within("reading goroutine 7");
  EXPECT_EQ(error.kind(), ErrorKind::gone);
  EXPECT_EQ(error.message(), "reading goroutine 7: process has ended");
}

TEST(Error, KindsAreWords) {
  EXPECT_EQ(to_string(ErrorKind::invalid), "invalid");
  EXPECT_EQ(to_string(ErrorKind::not_found), "not_found");
  EXPECT_EQ(to_string(ErrorKind::gone), "gone");
  EXPECT_EQ(to_string(ErrorKind::permission), "permission");
  EXPECT_EQ(to_string(ErrorKind::unsupported), "unsupported");
  EXPECT_EQ(to_string(ErrorKind::system), "system");
}

TEST(UniqueFd, ClosesOnceAndMoves) {
  const auto open_null = [] { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); };
  const auto is_open = [](int fd) { return ::fcntl(fd, F_GETFD) != -1; };
  const int number = open_null();
  {
    UniqueFd first(number);
    UniqueFd second(std::move(first));
    EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): what a moved-from one holds is its contract
    EXPECT_EQ(second.get(), number);
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));

  UniqueFd fd(open_null());
  const int old = fd.get();
  fd.reset();
  EXPECT_FALSE(is_open(old));
  EXPECT_FALSE(fd);
}

TEST(Clock, WallTimeFollowsTheMonotonicOne) {
  const WallClock wall = WallClock::read();
  const Instant now = MonotonicClock::now();
  EXPECT_NEAR(wall.unix_seconds(now + seconds(90)) - wall.unix_seconds(now), 90, 1e-6);
  EXPECT_TRUE(wall.agrees(WallClock::read()) || wall.agrees(WallClock::read())) << "none has been set meanwhile";
  EXPECT_FALSE(wall.agrees(WallClock{}));
  EXPECT_EQ(instant_from_ns(1500).time_since_epoch(), nanoseconds(1500));
}

}  // namespace
}  // namespace goleakd
