// SPDX-License-Identifier: Apache-2.0
#include "snapshot/core_runtime.h"

#include <sys/ucontext.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "snapshot/goroutine_table.h"
#include "snapshot/read_each.h"

namespace goleakd::snapshot {
namespace {

using Stop = CoreNotes::Thread;

constexpr std::size_t kSignalStack = 32U << 10U;  // m.gsignal's, src/runtime/os_linux.go: mpreinit
constexpr std::size_t kPage = 4096;
constexpr std::uint64_t kLongestUptime = 1ULL << 59U;  // 18 years in nanoseconds

// From `address` on, until something is missing.
std::vector<std::uint8_t> read_stack(const Memory& memory, std::uint64_t address) {
  std::vector<std::uint8_t> bytes(kSignalStack);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const std::size_t size = std::min(kPage - (address + done) % kPage, bytes.size() - done);
    if (!memory.read(address + done, std::span(bytes).subspan(done, size))) break;
    done += size;
  }
  bytes.resize(done);
  return bytes;
}

// The kernel's struct ucontext as far as it matters here (arch/x86/include/uapi/asm/sigcontext.h).
struct SignalContext {
  std::uint64_t flags;
  std::uint64_t link;
  std::uint64_t stack;
  std::uint64_t stack_flags;
  std::uint64_t stack_size;
  std::array<std::uint64_t, NGREG> registers;
};

// Where the thread was when a signal struck whose handler it is in: that handler runs on a stack of its own, which the
// saved context names. What struck the handler itself (the SIGABRT that it ends the program with) came later.
std::optional<Stop> interrupted(const Memory& memory, const Stop& thread) {
  const std::vector<std::uint8_t> stack = read_stack(memory, thread.sp);
  for (std::uint64_t at = 0; const auto context = read_at<SignalContext>(stack, at); at += sizeof(std::uint64_t)) {
    const auto on_signal_stack = [&](std::uint64_t sp) { return sp - context->stack < context->stack_size; };
    const Stop before{.pc = context->registers[REG_RIP], .sp = context->registers[REG_RSP]};
    if (context->stack_size <= kSignalStack && on_signal_stack(thread.sp) && on_signal_stack(thread.sp + at) &&
        !on_signal_stack(before.sp)) {
      return before;
    }
  }
  return std::nullopt;
}

// A thread whose sp is in the goroutine's stack runs it. Else the goroutine has switched to the stack of its thread,
// and the switch has saved where it goes on (mcall, systemstack, morestack in src/runtime/asm_amd64.s).
std::optional<Stop> stop_of(const target::GoProcess& process, const std::vector<Stop>& places, const RawGoroutine& g) {
  const auto thread = std::ranges::lower_bound(places, g.stack_lo, {}, &Stop::sp);
  const bool on_own_stack = thread != places.end() && thread->sp < g.stack_hi;
  const Stop stop = on_own_stack ? *thread : Stop{.pc = g.sched_pc, .sp = g.sched_sp};
  if (stop.sp < g.stack_lo || stop.sp >= g.stack_hi) return std::nullopt;
  if (!process.binary->functions().function_at(process.link_address(stop.pc))) return std::nullopt;
  return stop;
}

// sched.lastpoll; 0 when it is unknown, or a thread was waiting for the network. No goroutine has an id that
// sched.goidgen has not reached: that the address is schedt's.
std::uint64_t last_poll(const target::GoProcess& process, const Memory& memory, std::uint64_t highest_goid) {
  const target::SchedtLayout& layout = process.binary->layout().sched;
  if (process.binary->globals().sched == 0) return 0;
  const std::uint64_t sched = process.runtime_address(process.binary->globals().sched);
  const auto goids = memory.value<std::uint64_t>(sched + layout.goidgen);
  const auto lastpoll = memory.value<std::uint64_t>(sched + layout.lastpoll);
  return goids && lastpoll && *goids >= highest_goid && *lastpoll < kLongestUptime ? *lastpoll : 0;
}

}  // namespace

std::vector<CoreNotes::Thread> places_of(const Memory& memory, std::span<const CoreNotes::Thread> threads) {
  std::vector<Stop> places(threads.begin(), threads.end());
  for (const Stop& thread : threads) {
    if (const auto stop = interrupted(memory, thread)) places.push_back(*stop);
  }
  std::ranges::sort(places, {}, &Stop::sp);
  return places;
}

Result<CoreRuntime> read_core_runtime(const target::GoProcess& process, const Memory& memory,
                                      std::span<const CoreNotes::Thread> threads) {
  const target::GLayout& layout = process.binary->layout().g;
  const auto addresses = read_g_addresses(memory, process.runtime_address(process.binary->globals().allgs));
  if (!addresses) return fail(addresses.error());
  const std::vector<Stop> places = places_of(memory, threads);
  CoreRuntime runtime;
  std::uint64_t newest = 0;
  std::uint64_t highest_goid = 0;
  const auto read = read_each(memory, *addresses, layout.size, [&](std::size_t i, ByteSpan bytes) {
    const RawGoroutine g = decode_g(bytes, (*addresses)[i], layout);
    if (g.dead() || !plausible(g)) return;
    highest_goid = std::max(highest_goid, g.goid);
    if (g.wait_since < kLongestUptime) newest = std::max(newest, g.wait_since);
    // Each that runs has a thread: more than these is what no runtime does.
    if (g.status != GStatus::running || runtime.running.size() >= threads.size()) return;
    if (const auto stop = stop_of(process, places, g)) {
      runtime.running[g.address] = {.pc = stop->pc, .sp = stop->sp, .load_bias = process.load_bias};
    }
  });
  if (!read) return fail(read.error());
  runtime.died = instant_from_ns(std::max(newest, last_poll(process, memory, highest_goid)));
  return runtime;
}

}  // namespace goleakd::snapshot
