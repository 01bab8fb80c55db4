// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

// A function table with two functions of 64 bytes each, runtime.park_m and main.main, written by hand in each of the
// forms.
class PclntabFixture {
 public:
  static constexpr std::uint64_t kText = 0x401000;
  static constexpr std::uint32_t kGo116 = 0xfffffffa;
  static constexpr std::uint32_t kGo118 = 0xfffffff0;
  static constexpr std::uint32_t kGo120 = 0xfffffff1;

  static std::vector<std::uint8_t> bytes(std::uint32_t form = kGo120) {
    PclntabFixture f;
    f.whole_ = form == kGo116;
    f.u32(form);
    f.u8(0);
    f.u8(0);
    f.u8(1);                  // pc quantum
    f.u8(8);                  // pointer size
    f.u64(2);                 // functions
    f.u64(1);                 // files
    if (!f.whole_) f.u64(0);  // text start, as Go 1.26 writes it
    const std::size_t offsets = f.out_.size();
    f.out_.resize(offsets + 5 * 8);
    f.patch(offsets, f.out_.size());  // names
    f.text("runtime.park_m");
    f.text("main.main");
    f.patch(offsets + 8, f.out_.size());  // compilation units: one, with one file
    f.u32(0);
    f.patch(offsets + 16, f.out_.size());  // files
    f.text("/src/main.go");
    f.patch(offsets + 24, f.out_.size());  // pc-value tables; offset 0 means none
    f.u8(0);
    const std::uint32_t pcsp = f.table({{1, 0x10}, {24, 0x30}});  // 0, then 24
    const std::uint32_t pcfile = f.table({{1, 0x40}});            // 0
    const std::uint32_t pcln = f.table({{8, 0x20}, {2, 0x20}});   // 7, then 9
    const std::uint32_t inlining = f.table({{1, 0x40}});          // 0
    f.patch(offsets + 32, f.out_.size());                         // functions
    const std::size_t functab = f.out_.size();
    const std::size_t word = f.whole_ ? 8 : 4;
    f.out_.resize(functab + 5 * word);
    for (std::uint32_t i = 0; i < 2; ++i) {
      f.put32(functab + 2 * i * word, f.entry(i));
      f.put32(functab + (2 * i + 1) * word, static_cast<std::uint32_t>(f.out_.size() - functab));
      f.u32(f.entry(i));
      if (f.whole_) f.u32(0);
      f.u32(i == 0 ? 0 : 15);  // name
      f.u32(0);                // args
      f.u32(0);                // deferreturn
      f.u32(pcsp);
      f.u32(pcfile);
      f.u32(pcln);
      f.u32(3);                            // pcdata tables
      f.u32(0);                            // compilation unit
      if (form == kGo120) f.u32(1);        // start line
      f.u8(static_cast<std::uint8_t>(i));  // id
      f.u8(static_cast<std::uint8_t>(i));  // flags: main.main is a top frame
      f.u8(0);
      f.u8(4);  // funcdata tables
      for (const std::uint32_t table : {0U, 0U, inlining}) f.u32(table);
      while (f.whole_ && f.out_.size() % 8 != 0) f.u8(0);
      for (int table = 0; table < 4; ++table) f.funcdata(table == 3 ? 0x30 : kNone);
    }
    f.put32(functab + 4 * word, f.entry(2));
    return f.out_;
  }

 private:
  void u8(std::uint8_t value) { out_.push_back(value); }
  void u32(std::uint32_t value) {
    for (unsigned shift = 0; shift < 32; shift += 8) u8(static_cast<std::uint8_t>(value >> shift));
  }
  void u64(std::uint64_t value) {
    u32(static_cast<std::uint32_t>(value));
    u32(static_cast<std::uint32_t>(value >> 32U));
  }
  static constexpr std::uint32_t kNone = 0xffffffff;

  std::uint32_t entry(std::uint32_t function) const {
    return static_cast<std::uint32_t>((whole_ ? kText : 0) + function * 0x40);
  }
  void funcdata(std::uint32_t value) {
    if (!whole_) return u32(value);
    u64(value == kNone ? 0 : value);
  }
  void text(const std::string& value) {
    out_.insert(out_.end(), value.begin(), value.end());
    u8(0);
  }
  void put32(std::size_t at, std::uint32_t value) {
    for (unsigned i = 0; i < 4; ++i) out_[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
  void patch(std::size_t at, std::size_t value) {
    pcs_ = value;  // the last one patched is where tables are being written
    put32(at, static_cast<std::uint32_t>(value));
  }
  struct Step {
    std::uint8_t delta;  // of the value, which starts at -1
    std::uint8_t pcs;
  };
  std::uint32_t table(const std::vector<Step>& steps) {
    const auto offset = static_cast<std::uint32_t>(out_.size() - pcs_);
    for (const Step& step : steps) {
      u8(static_cast<std::uint8_t>(step.delta << 1U));  // zigzag of a positive number below 64
      u8(step.pcs);
    }
    u8(0);
    return offset;
  }

  std::vector<std::uint8_t> out_;
  std::size_t pcs_ = 0;
  bool whole_ = false;  // addresses of 64 bits, as before Go 1.18
};
