// SPDX-License-Identifier: Apache-2.0
//
// fuzz_seeds DIR: writes DIR/TARGET/… from the hand-written inputs of the unit tests, in which everything is right.
#include <elf.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "dwarf_fixture.h"
#include "go_program_fixture.h"
#include "pclntab_fixture.h"
#include "target/layout.h"

namespace {

using Bytes = std::vector<std::uint8_t>;

class Corpus {
 public:
  explicit Corpus(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void add(const std::string& target, const std::string& name, const Bytes& bytes) const {
    std::filesystem::create_directories(folder_ / target);
    std::ofstream out(folder_ / target / name, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  void add(const std::string& target, const std::string& name, std::string_view text) const {
    add(target, name, Bytes(text.begin(), text.end()));
  }

 private:
  std::filesystem::path folder_;
};

Bytes contents(const goleakd::UniqueFd& fd) {
  std::ifstream in("/proc/self/fd/" + std::to_string(fd.get()), std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// What walker.cc shows: allgs, and from offset 64 on the heap, where two goroutines wait in main.main.
Bytes waiting_goroutines() {
  constexpr std::uint64_t kHeap = 0xc000000000;
  constexpr std::uint64_t kArray = 64;
  constexpr std::uint64_t kFirst = 0x200;
  constexpr std::uint64_t kSize = 0x400;
  constexpr std::uint64_t kStacks = 0x1000;
  const auto choice = goleakd::target::layout_for({.minor = 27, .text = "go1.27.4"}, false);
  const goleakd::target::GLayout& layout = choice->layout->g;
  Bytes bytes(0x3000);
  const auto put = [&](std::uint64_t at, const auto& value) { std::memcpy(bytes.data() + at, &value, sizeof(value)); };
  const auto address = [](std::uint64_t at) { return kHeap + at - 64; };
  put(0, address(kArray));
  put(8, std::uint64_t{2});
  put(16, std::uint64_t{2});
  for (std::uint64_t i = 0; i < 2; ++i) {
    const std::uint64_t g = kFirst + i * kSize;
    const std::uint64_t stack = kStacks + i * 0x800;
    put(kArray + i * 8, address(g));
    put(g + layout.stack_lo, address(stack));
    put(g + layout.stack_hi, address(stack + 0x800));
    put(g + layout.sched_sp, address(stack + 0x700));
    put(g + layout.sched_pc, PclntabFixture::kText + 0x10);
    put(g + layout.goid, i + 1);
    put(g + layout.atomicstatus, std::uint32_t{4});  // _Gwaiting
    put(g + layout.waitreason, std::uint8_t{19});
    put(g + layout.gopc, PclntabFixture::kText + 0x50);
    put(g + layout.startpc, PclntabFixture::kText + 0x40);
    for (std::uint64_t at = stack + 0x700; at < stack + 0x800; at += 8) put(at, PclntabFixture::kText + 0x50);
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: fuzz_seeds DIR\n", stderr);
    return 2;
  }
  const Corpus corpus(argv[1]);
  for (const std::uint32_t form : {PclntabFixture::kGo116, PclntabFixture::kGo118, PclntabFixture::kGo120}) {
    corpus.add("pclntab", std::to_string(form), PclntabFixture::bytes(form));
  }
  corpus.add("build_info", "fixture",
             GoProgramFixture::build_info("go1.22.12", "path\tx\nmod\tx\t(devel)\t\nbuild\t-race=true\n"));
  for (const char* text : {"go1.19", "go1.22.5-fips", "go1.24.4 X:loopvar,arenas", "go1.27.4-X:staticlockranking",
                           "devel go1.28-0a1b2c Tue", "go1.28rc1"}) {
    corpus.add("go_version", std::to_string(std::strlen(text)), std::string_view(text));
  }
  Bytes program = GoProgramFixture::bytes();
  corpus.add("elf", "fixture", program);
  corpus.add("go_binary", "fixture", program);
  program[offsetof(Elf64_Ehdr, e_type)] = ET_CORE;
  corpus.add("core_file", "fixture", program);
  goleakd::target::Layout layout;
  corpus.add("dwarf_layout", "fixture", contents(goleakd::target::DwarfFixture(layout).file()));
  corpus.add("walker", "fixture", waiting_goroutines());
  corpus.add("config", "fixture",
             "listen: 127.0.0.1:9979\ntargets:\n  include:\n    - exe: /usr/bin/*\n  exclude: []\nignore:\n"
             "  - created_by: main.main\n    reason: known\n");
  return 0;
}
