// SPDX-License-Identifier: Apache-2.0
#include "snapshot/goroutine_table.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "snapshot/go_words.h"

namespace goleakd::snapshot {
namespace {

constexpr std::uint64_t kMaxGoroutines = 8U << 20U;  // that ever lived at once; their g structs alone are 3.6 GB
constexpr std::uint32_t kScanBit = 0x1000;           // runtime._Gscan

}  // namespace

Result<LargeArray<std::uint64_t>> read_g_addresses(const Memory& memory, std::uint64_t allgs, std::size_t from) {
  const auto header = memory.value<SliceHeader>(allgs);
  if (!header) return fail(header.error());
  if (!header->plausible(kMaxGoroutines) || !is_pointer(header->data)) {
    return fail(ErrorKind::invalid, "runtime.allgs is no slice of goroutines (length " +
                                        std::to_string(header->length) + ", capacity " +
                                        std::to_string(header->capacity) + ")");
  }
  if (from >= header->length) return {};
  LargeArray<std::uint64_t> addresses(header->length - from);
  auto bytes = std::span(reinterpret_cast<std::uint8_t*>(addresses.data()), addresses.size() * sizeof(std::uint64_t));
  if (auto ok = memory.read(header->data + from * sizeof(std::uint64_t), bytes); !ok) {
    return fail(ok.error().within("runtime.allgs"));
  }
  if (!std::ranges::all_of(addresses, is_pointer)) {
    return fail(ErrorKind::invalid, "runtime.allgs holds words that are no pointers");
  }
  return addresses;
}

RawGoroutine decode_g(ByteSpan bytes, std::uint64_t address, const target::GLayout& layout) {
  RawGoroutine g;
  g.address = address;
  if (bytes.size() < layout.size) return g;
  const auto load = [&]<typename T>(std::uint32_t offset, T& into) {
    if (target::present(offset) && offset + sizeof(T) <= layout.size) std::memcpy(&into, &bytes[offset], sizeof(T));
  };
  std::uint32_t status = 0;
  load(layout.atomicstatus, status);
  g.status = static_cast<GStatus>(std::min(status & ~kScanBit, static_cast<std::uint32_t>(GStatus::none)));
  load(layout.goid, g.goid);
  load(layout.parent_goid, g.parent);
  load(layout.waitreason, g.wait_reason);
  load(layout.tracking_seq, g.tracking_seq);
  load(layout.stack_lo, g.stack_lo);
  load(layout.stack_hi, g.stack_hi);
  load(layout.sched_sp, g.sched_sp);
  load(layout.sched_pc, g.sched_pc);
  load(layout.syscallsp, g.syscall_sp);
  load(layout.syscallpc, g.syscall_pc);
  load(layout.waitsince, g.wait_since);
  load(layout.lockedm, g.locked_m);
  load(layout.gopc, g.gopc);
  load(layout.startpc, g.startpc);
  load(layout.waiting, g.waiting);
  load(layout.labels, g.labels);
  load(layout.timer, g.timer);
  load(layout.m, g.m);
  return g;
}

bool plausible(const RawGoroutine& g) {
  constexpr std::uint64_t kMaxStack = 2ULL << 30U;  // runtime/debug.SetMaxStack's default is 1 GB
  constexpr std::uint64_t kMaxGoid = 1ULL << 56U;
  if (g.dead()) return true;
  if (g.status > GStatus::deadextra) return false;
  if (g.goid == 0 || g.goid > kMaxGoid) return false;
  if (g.stack_lo >= g.stack_hi || g.stack_hi >= kUserSpaceEnd || g.stack_hi - g.stack_lo > kMaxStack) return false;
  return !g.blocked() || (g.sched_sp >= g.stack_lo && g.sched_sp <= g.stack_hi);
}

}  // namespace goleakd::snapshot
