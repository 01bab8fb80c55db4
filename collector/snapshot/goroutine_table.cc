// SPDX-License-Identifier: Apache-2.0
#include "snapshot/goroutine_table.h"

#include <algorithm>
#include <string>

#include "base/bytes.h"

namespace goleakd::snapshot {
namespace {

constexpr std::uint64_t kMaxGoroutines = 8U << 20U;  // that ever lived at once; their g structs alone are 3.6 GB
constexpr std::uint32_t kScanBit = 0x1000;           // runtime._Gscan
constexpr std::uint64_t kUserSpaceEnd = 1ULL << 47U;

bool is_pointer(std::uint64_t word) { return word >= 4096 && word < kUserSpaceEnd && word % 8 == 0; }

struct SliceHeader {
  std::uint64_t data;
  std::uint64_t length;
  std::uint64_t capacity;
};

RawGoroutine decode(ByteSpan bytes, std::uint64_t address, const target::GLayout& layout) {
  const auto word = [&](std::uint64_t offset) { return read_at<std::uint64_t>(bytes, offset).value_or(0); };
  RawGoroutine g;
  g.address = address;
  g.goid = word(layout.goid);
  g.parent = layout.parent_goid >= 0 ? word(static_cast<std::uint64_t>(layout.parent_goid)) : 0;
  g.status = static_cast<GStatus>(read_at<std::uint32_t>(bytes, layout.atomicstatus).value_or(0) & ~kScanBit);
  g.wait_reason = read_at<std::uint8_t>(bytes, layout.waitreason).value_or(0);
  g.tracking_seq = read_at<std::uint8_t>(bytes, layout.tracking_seq).value_or(0);
  g.stack_lo = word(layout.stack_lo);
  g.stack_hi = word(layout.stack_hi);
  g.sched_sp = word(layout.sched_sp);
  g.sched_pc = word(layout.sched_pc);
  g.syscall_sp = word(layout.syscallsp);
  g.syscall_pc = word(layout.syscallpc);
  g.wait_since = word(layout.waitsince);
  g.locked_m = word(layout.lockedm);
  g.gopc = word(layout.gopc);
  g.startpc = word(layout.startpc);
  g.waiting = word(layout.waiting);
  return g;
}

}  // namespace

Result<std::vector<std::uint64_t>> read_all_g_addresses(const Memory& memory, std::uint64_t allgs) {
  const auto header = memory.value<SliceHeader>(allgs);
  if (!header) return fail(header.error());
  if (header->length == 0 || header->length > header->capacity || header->length > kMaxGoroutines ||
      !is_pointer(header->data)) {
    return fail(ErrorKind::invalid, "runtime.allgs is no slice of goroutines (length " +
                                        std::to_string(header->length) + ", capacity " +
                                        std::to_string(header->capacity) + ")");
  }
  std::vector<std::uint64_t> addresses(header->length);
  auto bytes = std::span(reinterpret_cast<std::uint8_t*>(addresses.data()), addresses.size() * sizeof(std::uint64_t));
  if (auto ok = memory.read(header->data, bytes); !ok) return fail(ok.error().within("runtime.allgs"));
  if (!std::ranges::all_of(addresses, is_pointer)) {
    return fail(ErrorKind::invalid, "runtime.allgs holds words that are no pointers");
  }
  return addresses;
}

Result<std::vector<RawGoroutine>> read_g_structs(const Memory& memory, const target::Layout& layout,
                                                 std::span<const std::uint64_t> addresses) {
  const std::size_t size = layout.g.size;
  std::vector<std::uint8_t> bytes(addresses.size() * size);
  std::vector<ReadRequest> requests;
  requests.reserve(addresses.size());
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    requests.push_back({.address = addresses[i], .into = std::span(bytes).subspan(i * size, size), .done = false});
  }
  if (auto ok = memory.read(requests); !ok) return fail(ok.error());
  std::vector<RawGoroutine> found;
  found.reserve(addresses.size());
  for (const ReadRequest& request : requests) {
    if (request.done) found.push_back(decode(request.into, request.address, layout.g));
  }
  return found;
}

bool plausible(const RawGoroutine& g) {
  constexpr std::uint64_t kMaxStack = 2ULL << 30U;  // runtime/debug.SetMaxStack's default is 1 GB
  constexpr std::uint64_t kMaxGoid = 1ULL << 56U;
  if (g.dead()) return true;
  if (static_cast<std::uint32_t>(g.status) > static_cast<std::uint32_t>(GStatus::deadextra)) return false;
  if (g.goid == 0 || g.goid > kMaxGoid) return false;
  if (g.stack_lo >= g.stack_hi || g.stack_hi >= kUserSpaceEnd || g.stack_hi - g.stack_lo > kMaxStack) return false;
  return !g.blocked() || (g.sched_sp >= g.stack_lo && g.sched_sp <= g.stack_hi);
}

}  // namespace goleakd::snapshot
