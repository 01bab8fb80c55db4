// SPDX-License-Identifier: Apache-2.0
#include "snapshot/runtime_check.h"

#include <algorithm>
#include <vector>

#include "snapshot/go_words.h"
#include "snapshot/merged_read.h"
#include "snapshot/wait_kind.h"

namespace goleakd::snapshot {
namespace {

constexpr std::size_t kSample = 4096;       // of goroutines and of spans: enough to tell, and soon done
constexpr std::uint64_t kPage = 8U << 10U;  // runtime.pageSize
constexpr std::uint8_t kSpanInUse = 1;      // runtime.mSpanInUse
constexpr std::uint8_t kSpanManual = 2;     // runtime.mSpanManual
constexpr std::uint64_t kMaxSpans = 1ULL << 26U;

std::string goroutine(const RawGoroutine& g) { return "goroutine " + std::to_string(g.goid) + ": "; }

bool in_code(const target::GoProcess& process, std::uint64_t pc) {
  return process.binary->functions().function_at(process.link_address(pc)).has_value();
}

Broken broken_g(const target::GoProcess& process, const RawGoroutine& g) {
  const target::Layout& layout = process.binary->layout();
  if (!plausible(g)) return goroutine(g) + "g.stack, g.goid or g.atomicstatus is impossible";
  const auto start = process.binary->functions().function_at(process.link_address(g.startpc));
  if (!start || start->entry != process.link_address(g.startpc)) return goroutine(g) + "g.startpc begins no function";
  if (!in_code(process, g.gopc)) return goroutine(g) + "g.gopc is not in Go code";
  if (g.blocked() && g.wait_reason >= layout.wait_reasons.size()) return goroutine(g) + "g.waitreason is out of range";
  if (g.blocked() && !in_code(process, g.sched_pc)) return goroutine(g) + "g.sched.pc is not in Go code";
  if (g.status == GStatus::syscall && !in_code(process, g.syscall_pc))
    return goroutine(g) + "g.syscallpc is not in Go code";
  return std::nullopt;
}

bool waits_on_channel(const target::Layout& layout, const RawGoroutine& g) {
  return g.blocked() && g.waiting != 0 && on_channels(wait_kind(layout.wait_reason(g.wait_reason)));
}

std::uint64_t word(ByteSpan bytes, std::uint64_t offset) { return read_at<std::uint64_t>(bytes, offset).value_or(0); }

// What one span says of itself.
Broken broken_span(const target::MspanLayout& layout, ByteSpan span) {
  const auto state = read_at<std::uint8_t>(span, layout.state).value_or(0);
  if (state > kSpanManual) return "mspan.state is " + std::to_string(state);
  if (state != kSpanInUse) return std::nullopt;
  const std::uint64_t start = word(span, layout.start_addr);
  const std::uint64_t pages = word(span, layout.npages);
  const std::uint64_t elements = read_at<std::uint16_t>(span, layout.nelems).value_or(0);
  const std::uint64_t size = word(span, layout.elemsize);
  if (start == 0 || start % kPage != 0) return "mspan.startAddr is not the address of a page";
  if (pages == 0 || pages > kMaxSpans) return "mspan.npages is impossible";
  if (size == 0 || size > pages * kPage || elements * size > pages * kPage)
    return "mspan.elemsize and nelems do not fit its pages";
  return std::nullopt;
}

}  // namespace

Broken broken_walk(const target::GoProcess& process, std::span<const RawGoroutine> alive) {
  if (alive.empty()) return "no goroutine is alive";
  for (const RawGoroutine& g : alive.first(std::min(alive.size(), kSample))) {
    if (auto broken = broken_g(process, g)) return broken;
  }
  return std::nullopt;
}

Broken broken_wait_objects(const target::GoProcess& process, const Memory& memory,
                           std::span<const RawGoroutine> alive) {
  const target::Layout& layout = process.binary->layout();
  std::vector<const RawGoroutine*> waiting;
  MergedRead sudogs;
  for (const RawGoroutine& g : alive.first(std::min(alive.size(), kSample))) {
    if (!waits_on_channel(layout, g)) continue;
    waiting.push_back(&g);
    sudogs.add(g.waiting, layout.sudog.size);
  }
  if (auto ok = sudogs.read(memory); !ok) return ok.error().message();
  MergedRead channels;
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    // Woken between the two reads, a goroutine leaves its sudog to another: only a rare one may differ.
    if (word(sudogs[i], layout.sudog.g) != waiting[i]->address) return goroutine(*waiting[i]) + "sudog.g is another";
    channels.add(word(sudogs[i], layout.sudog.c), layout.hchan.size);
  }
  if (auto ok = channels.read(memory); !ok) return ok.error().message();
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    if (channels[i].empty()) return goroutine(*waiting[i]) + "sudog.c leads nowhere";
    if (word(channels[i], layout.hchan.qcount) > word(channels[i], layout.hchan.dataqsiz))
      return goroutine(*waiting[i]) + "hchan.qcount exceeds dataqsiz";
    if (read_at<std::uint32_t>(channels[i], layout.hchan.closed).value_or(2) > 1)
      return goroutine(*waiting[i]) + "hchan.closed is no truth value";
  }
  return std::nullopt;
}

Broken broken_heap(const target::GoProcess& process, const Memory& memory, std::span<const RawGoroutine> alive) {
  const target::Layout& layout = process.binary->layout();
  const std::uint64_t mheap = process.binary->globals().mheap;
  if (mheap == 0) return "runtime.mheap_ was not found";
  const auto spans = memory.value<SliceHeader>(process.runtime_address(mheap) + layout.mheap.allspans);
  if (!spans) return spans.error().message();
  if (!spans->plausible(kMaxSpans)) return "mheap_.allspans is no slice of spans";
  std::vector<std::uint64_t> addresses(std::min<std::uint64_t>(spans->length, kSample));
  const auto bytes = std::span(reinterpret_cast<std::uint8_t*>(addresses.data()), addresses.size() * 8);
  if (auto ok = memory.read(spans->data, bytes); !ok) return ok.error().message();
  MergedRead structs;
  for (const std::uint64_t address : addresses) structs.add(address, layout.mspan.size);
  if (auto ok = structs.read(memory); !ok) return ok.error().message();
  bool holds_a_g = false;
  for (std::size_t i = 0; i < structs.size(); ++i) {
    if (structs[i].empty()) return "mheap_.allspans names a span that leads nowhere";
    if (auto broken = broken_span(layout.mspan, structs[i])) return broken;
    const std::uint64_t start = word(structs[i], layout.mspan.start_addr);
    const std::uint64_t end = start + word(structs[i], layout.mspan.npages) * kPage;
    holds_a_g =
        holds_a_g || std::ranges::any_of(alive.first(std::min<std::size_t>(alive.size(), 64)),
                                         [&](const RawGoroutine& g) { return g.address >= start && g.address < end; });
  }
  if (!holds_a_g && spans->length <= kSample) return "no span of mheap_.allspans holds a goroutine's g";
  return std::nullopt;
}

}  // namespace goleakd::snapshot
