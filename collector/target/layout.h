// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "target/go_version.h"

namespace goleakd::target {

// Byte offsets into the runtime's structs (src/runtime/runtime2.go, chan.go, symtab.go), amd64. `size` is the struct's.
struct GLayout {
  std::uint32_t size = 0;
  std::uint32_t stack_lo = 0;
  std::uint32_t stack_hi = 0;
  std::uint32_t sched_sp = 0;
  std::uint32_t sched_pc = 0;
  std::uint32_t syscallsp = 0;
  std::uint32_t syscallpc = 0;
  std::uint32_t atomicstatus = 0;
  std::uint32_t goid = 0;
  std::uint32_t waitsince = 0;
  std::uint32_t waitreason = 0;
  std::uint32_t tracking_seq = 0;
  std::uint32_t lockedm = 0;
  std::int32_t parent_goid = -1;  // -1: this version has no such field
  std::uint32_t gopc = 0;
  std::uint32_t startpc = 0;
  std::uint32_t waiting = 0;
};

struct HchanLayout {
  std::uint32_t size = 0;
  std::uint32_t qcount = 0;
  std::uint32_t dataqsiz = 0;
  std::uint32_t closed = 0;
};

struct SudogLayout {
  std::uint32_t size = 0;
  std::uint32_t g = 0;
  std::uint32_t c = 0;
};

struct ModuledataLayout {
  std::uint32_t size = 0;
  std::uint32_t pc_header = 0;
  std::uint32_t funcnametab = 0;
  std::uint32_t text = 0;
  std::uint32_t etext = 0;
  std::uint32_t gofunc = 0;
};

// What goleakd must know of one Go release's runtime. The table behind it is layouts/amd64.json (scripts/gen-layouts).
struct Layout {
  int minor = 0;  // of Go 1.minor
  GLayout g;
  HchanLayout hchan;
  SudogLayout sudog;
  ModuledataLayout moduledata;
  int func_id_wrapper = 0;                         // abi.FuncIDWrapper
  std::span<const std::string_view> wait_reasons;  // runtime.waitReasonStrings

  // The text of a wait reason; "unknown wait reason" as the runtime says, when the number is out of range.
  std::string_view wait_reason(std::uint8_t number) const;
};

// The layout for exactly this release, or why there is none (unsupported): never that of a neighbour.
Result<const Layout*> layout_for(const GoVersion& version);

// For messages: "1.19, 1.22, 1.23, …".
std::string supported_versions();

}  // namespace goleakd::target
