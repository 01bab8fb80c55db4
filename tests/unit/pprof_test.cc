// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <zlib.h>

#include <array>
#include <map>
#include <protozero/pbf_reader.hpp>
#include <random>
#include <string>
#include <vector>

#include "pprof/goroutine_profile.h"
#include "pprof/gzip.h"

namespace goleakd::pprof {
namespace {

using ledger::GoroutineDump;
using ledger::TracebackFrame;
using protozero::pbf_reader;

std::string gunzip(const std::string& packed) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
  std::string in = packed;
  std::string out;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  int state = Z_OK;
  while (state == Z_OK) {
    std::array<char, 4096> part{};
    stream.next_out = reinterpret_cast<Bytef*>(part.data());
    stream.avail_out = part.size();
    state = inflate(&stream, Z_NO_FLUSH);
    out.append(part.data(), part.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  EXPECT_EQ(state, Z_STREAM_END);
  return out;
}

TEST(Gzip, RoundTripsAndNamesNoTime) {
  std::mt19937 random(1);
  std::string noise(200'000, ' ');  // does not shrink: more than one step of output
  for (char& c : noise) c = static_cast<char>(random());
  for (const std::string& bytes : {std::string(), std::string("a"), std::string(1'000'000, 'x'), noise}) {
    const auto packed = gzip(bytes);
    ASSERT_TRUE(packed);
    EXPECT_EQ(gunzip(*packed), bytes);
    EXPECT_EQ(packed->substr(4, 4), std::string(4, '\0'));  // MTIME, RFC 1952
  }
}

// A profile as far as these tests look at it: texts instead of their numbers.
struct Decoded {
  std::vector<std::string> texts;
  struct Line {
    std::string function;
    std::string file;
    std::int64_t line = 0;
    bool operator==(const Line&) const = default;
  };
  struct Location {
    std::uint64_t address = 0;
    std::vector<Line> lines;
  };
  struct Sample {
    std::vector<Location> stack;
    std::int64_t count = 0;
    std::map<std::string, std::string> labels;
  };
  std::vector<Sample> samples;
  std::string sample_type, period_type, exe, build_id;
  std::int64_t period = 0, time_ns = 0;
};

Decoded decode(const std::string& packed) {
  const std::string bytes = gunzip(packed);
  Decoded out;
  for (pbf_reader profile(bytes); profile.next();) {
    if (profile.tag() == 6)
      out.texts.push_back(profile.get_string());
    else
      profile.skip();
  }
  const auto text = [&](pbf_reader& message) { return out.texts.at(static_cast<std::size_t>(message.get_int64())); };
  const auto value_type = [&](pbf_reader message) {
    std::string words;
    while (message.next()) words += text(message) + "/";
    return words;
  };
  std::map<std::uint64_t, std::pair<std::string, std::string>> functions;
  std::map<std::uint64_t, Decoded::Location> locations;
  for (pbf_reader profile(bytes); profile.next(5);) {
    pbf_reader function = profile.get_message();
    std::uint64_t id = 0;
    std::pair<std::string, std::string> names;
    while (function.next()) {
      switch (function.tag()) {
        case 1:
          id = function.get_uint64();
          break;
        case 2:
          names.first = text(function);
          break;
        case 4:
          names.second = text(function);
          break;
        default:
          function.skip();
      }
    }
    EXPECT_TRUE(functions.emplace(id, names).second);
  }
  for (pbf_reader profile(bytes); profile.next(4);) {
    pbf_reader message = profile.get_message();
    std::uint64_t id = 0;
    Decoded::Location location;
    while (message.next()) {
      switch (message.tag()) {
        case 1:
          id = message.get_uint64();
          break;
        case 2:
          EXPECT_EQ(message.get_uint64(), 1);
          break;
        case 3:
          location.address = message.get_uint64();
          break;
        case 4: {
          pbf_reader line = message.get_message();
          Decoded::Line& decoded = location.lines.emplace_back();
          while (line.next()) {
            if (line.tag() == 1) {
              std::tie(decoded.function, decoded.file) = functions.at(line.get_uint64());
            } else {
              decoded.line = line.get_int64();
            }
          }
          break;
        }
        default:
          message.skip();
      }
    }
    EXPECT_TRUE(locations.emplace(id, location).second);
  }
  for (pbf_reader profile(bytes); profile.next();) {
    switch (profile.tag()) {
      case 1:
        out.sample_type += value_type(profile.get_message());
        break;
      case 11:
        out.period_type += value_type(profile.get_message());
        break;
      case 12:
        out.period = profile.get_int64();
        break;
      case 9:
        out.time_ns = profile.get_int64();
        break;
      case 3: {
        for (pbf_reader mapping = profile.get_message(); mapping.next();) {
          if (mapping.tag() == 5)
            out.exe = text(mapping);
          else if (mapping.tag() == 6)
            out.build_id = text(mapping);
          else
            mapping.skip();
        }
        break;
      }
      case 2: {
        Decoded::Sample& sample = out.samples.emplace_back();
        for (pbf_reader message = profile.get_message(); message.next();) {
          if (message.tag() == 1) {
            for (const std::uint64_t id : message.get_packed_uint64()) sample.stack.push_back(locations.at(id));
          } else if (message.tag() == 2) {
            for (const std::int64_t value : message.get_packed_int64()) sample.count += value;
          } else {
            pbf_reader label = message.get_message();
            std::string key;
            while (label.next()) {
              if (label.tag() == 1)
                key = text(label);
              else
                sample.labels[key] = text(label);
            }
          }
        }
        break;
      }
      default:
        profile.skip();
    }
  }
  return out;
}

TracebackFrame frame(std::string function, int line, std::uint64_t pc, bool inlined = false) {
  return {.frame = {std::move(function), "/srv/main.go", line},
          .generic = {},
          .inlined = inlined,
          .hidden = false,
          .pc = pc,
          .pc_offset = 0};
}

GoroutineDump stuck(ledger::Goid goid) {
  GoroutineDump g;
  g.goid = goid;
  g.state = "chan receive";
  g.frames = {frame("runtime.gopark", 1, 0x101), frame("main.inner", 2, 0x202, true),
              frame("main.middle", 3, 0x202, true), frame("main.outer", 4, 0x202),
              // A recursive call from the same place, and a wrapper that is left out around an inlined call.
              frame("main.outer", 4, 0x202), frame("main.wrapped", 5, 0x303, true),
              frame("main.main.gowrap1", 5, 0x303), frame("runtime.goexit", 6, 0x404)};
  for (const std::size_t runtimes : {0U, 6U, 7U}) g.frames[runtimes].hidden = true;
  return g;
}

std::string profile_of(const std::vector<GoroutineDump>& goroutines, std::int64_t time_ns = 0) {
  const ledger::ProcessDump process{
      .pid = 7, .exe = "/usr/bin/shop", .build_id = "0123abcd", .go_version = "go1.22", .torn = 0};
  std::string bytes;
  GoroutineProfile profile(process, time_ns, [&](std::string_view part) { bytes += part; });
  for (const GoroutineDump& g : goroutines) profile.goroutine(g);
  EXPECT_TRUE(profile.end(0));
  return bytes;
}

TEST(GoroutineProfile, IsOfTheKindThatGoWrites) {
  const Decoded profile = decode(profile_of({stuck(2)}, 12345));
  EXPECT_EQ(profile.texts.at(0), "");
  EXPECT_EQ(profile.sample_type, "goroutine/count/");
  EXPECT_EQ(profile.period_type, "goroutine/count/");
  EXPECT_EQ(profile.period, 1);
  EXPECT_EQ(profile.time_ns, 12345);
  EXPECT_EQ(profile.exe, "/usr/bin/shop");
  EXPECT_EQ(profile.build_id, "0123abcd");
}

TEST(GoroutineProfile, InlinedCallsAreLinesOfOneLocation) {
  const Decoded profile = decode(profile_of({stuck(2)}));
  ASSERT_EQ(profile.samples.size(), 1);
  const auto& stack = profile.samples[0].stack;
  ASSERT_EQ(stack.size(), 4) << "gopark, outer twice, wrapped, without goexit";
  EXPECT_EQ(stack[1].address, 0x202);
  EXPECT_EQ(stack[1].lines, (std::vector<Decoded::Line>{{"main.inner", "/srv/main.go", 2},
                                                        {"main.middle", "/srv/main.go", 3},
                                                        {"main.outer", "/srv/main.go", 4}}));
  EXPECT_EQ(stack[2].lines, (std::vector<Decoded::Line>{{"main.outer", "/srv/main.go", 4}}));
  EXPECT_EQ(stack[3].lines, (std::vector<Decoded::Line>{{"main.wrapped", "/srv/main.go", 5}}));
}

TEST(GoroutineProfile, NamesTypeArguments) {
  GoroutineDump g = stuck(2);
  g.frames[1].frame.function = "main.inner[...]";
  g.frames[1].generic = "main.inner[go.shape.int]";
  const Decoded profile = decode(profile_of({g}));
  ASSERT_EQ(profile.samples.size(), 1);
  EXPECT_EQ(profile.samples[0].stack.at(1).lines.at(0), (Decoded::Line{"main.inner[go.shape.int]", "/srv/main.go", 2}));
}

TEST(GoroutineProfile, SamplesAreStacksWithLabels) {
  GoroutineDump labelled = stuck(4);
  labelled.labels = {{"job", "a"}, {"user", "b"}};
  GoroutineDump running;
  running.state = "running";
  const Decoded profile = decode(profile_of({labelled, stuck(2), stuck(3), running}));
  ASSERT_EQ(profile.samples.size(), 3);
  EXPECT_EQ(profile.samples[0].count, 2);
  EXPECT_TRUE(profile.samples[0].labels.empty());
  std::int64_t total = 0;
  int without_stack = 0;
  for (const auto& sample : profile.samples) {
    total += sample.count;
    without_stack += sample.stack.empty() ? 1 : 0;
    if (!sample.labels.empty()) {
      EXPECT_EQ(sample.labels, (std::map<std::string, std::string>{{"job", "a"}, {"user", "b"}}));
    }
  }
  EXPECT_EQ(total, 4);
  EXPECT_EQ(without_stack, 1);
}

TEST(GoroutineProfile, TheSameGoroutinesGiveTheSameBytes) {
  EXPECT_EQ(profile_of({stuck(2), stuck(3)}), profile_of({stuck(2), stuck(3)}));
}

TEST(GoroutineProfile, NothingIsAProfileToo) { EXPECT_TRUE(decode(profile_of({})).samples.empty()); }

}  // namespace
}  // namespace goleakd::pprof
