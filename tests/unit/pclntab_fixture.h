// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

// A function table of Go 1.20's form with two functions of 64 bytes each, runtime.gopark and main.main, written by
// hand.
class PclntabFixture {
 public:
  static constexpr std::uint64_t kText = 0x401000;

  static std::vector<std::uint8_t> bytes() {
    PclntabFixture f;
    f.u32(0xfffffff1);
    f.u8(0);
    f.u8(0);
    f.u8(1);   // pc quantum
    f.u8(8);   // pointer size
    f.u64(2);  // functions
    f.u64(1);  // files
    f.u64(0);  // text start, as Go 1.26 writes it
    const std::size_t offsets = f.out_.size();
    f.out_.resize(offsets + 5 * 8);
    f.patch(offsets, f.out_.size());  // names
    f.text("runtime.gopark");
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
    f.patch(offsets + 32, f.out_.size());                         // functions
    const std::size_t functab = f.out_.size();
    f.out_.resize(functab + 2 * 8 + 4);
    for (std::uint32_t i = 0; i < 2; ++i) {
      f.put32(functab + i * 8, i * 0x40);
      f.put32(functab + i * 8 + 4, static_cast<std::uint32_t>(f.out_.size() - functab));
      f.u32(i * 0x40);         // entry
      f.u32(i == 0 ? 0 : 15);  // name
      f.u32(0);                // args
      f.u32(0);                // deferreturn
      f.u32(pcsp);
      f.u32(pcfile);
      f.u32(pcln);
      f.u32(0);  // pcdata tables
      f.u32(0);  // compilation unit
      f.u32(1);  // start line
      f.u32(0);  // id, flags, pad, funcdata tables
    }
    f.put32(functab + 16, 0x80);
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
};
