// SPDX-License-Identifier: Apache-2.0
#include "snapshot/snapshot.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

namespace goleakd::snapshot {
namespace {

constexpr std::uint64_t kFirstStackBytes = 1024;  // most parked stacks need no more

bool stopped(const RawGoroutine& g) {
  return g.status == GStatus::runnable || g.status == GStatus::syscall || g.status == GStatus::preempted || g.blocked();
}

// Where a stopped goroutine goes on. In a system call g.sched is not kept up to date.
struct Stop {
  std::uint64_t pc;
  std::uint64_t sp;
};
Stop stop_of(const RawGoroutine& g) {
  if (g.status == GStatus::syscall && g.syscall_sp != 0) return {g.syscall_pc, g.syscall_sp};
  return {g.sched_pc, g.sched_sp};
}

// The runtime's goroutine that runs finalizers or cleanups, which are the program's code.
bool runs_user_code_at_times(std::string_view start) {
  return start == "runtime.runfinq" || start == "runtime.runFinalizers" || start == "runtime.runCleanups";
}

// runtime.isSystemGoroutine: started by the runtime itself. Whether one that runs finalizers is doing so just now, the
// runtime knows by a flag; from outside its frames tell, and where it has none because it is running, that it does.
bool is_system(const Goroutine& g, const target::GoProcess& process) {
  const target::Pclntab& functions = process.binary->functions();
  const auto start = functions.function_at(process.link_address(g.raw.startpc));
  if (!start || !start->name.starts_with("runtime.")) return false;
  if (start->name == "runtime.main" || start->name == "runtime.handleAsyncEvent" ||
      start->name == "runtime.corostart") {
    return false;
  }
  if (!runs_user_code_at_times(start->name)) return true;
  if (g.raw.status == GStatus::running) return false;
  return std::ranges::all_of(g.frames, [&](const StackFrame& frame) {
    const auto function = functions.function_at(frame.symbol_pc);
    return function && (function->name.starts_with("runtime.") || function->name.starts_with("internal/"));
  });
}

Result<void> read_stacks(const target::GoProcess& process, const Memory& memory, std::size_t max_frames,
                         std::vector<Goroutine>& goroutines) {
  std::vector<StackBytes> stacks(goroutines.size());
  std::vector<ReadRequest> requests;
  requests.reserve(goroutines.size());
  for (std::size_t i = 0; i < goroutines.size(); ++i) {
    const RawGoroutine& g = goroutines[i].raw;
    const Stop stop = stop_of(g);
    if (!stopped(g) || stop.sp < g.stack_lo || stop.sp >= g.stack_hi) continue;
    stacks[i].base = stop.sp;
    stacks[i].end = g.stack_hi;
    stacks[i].bytes.resize(std::min(kFirstStackBytes, g.stack_hi - stop.sp));
    requests.push_back({.address = stop.sp, .into = stacks[i].bytes, .done = false});
  }
  if (auto ok = memory.read(requests); !ok) return ok;
  std::size_t request = 0;
  for (std::size_t i = 0; i < goroutines.size(); ++i) {
    if (stacks[i].end == 0 || !requests[request++].done) continue;
    const Stop stop = stop_of(goroutines[i].raw);
    goroutines[i].end = unwind(process.binary->functions(), memory, stacks[i], {stop.pc, stop.sp, process.load_bias},
                               max_frames, goroutines[i].frames);
  }
  return {};
}

// A stack counts only when its goroutine stood still from before it was read until after.
Result<std::uint64_t> drop_moved_stacks(const Memory& memory, const target::Layout& layout,
                                        std::vector<Goroutine>& goroutines) {
  std::vector<std::uint64_t> addresses;
  addresses.reserve(goroutines.size());
  for (const Goroutine& g : goroutines) addresses.push_back(g.raw.address);
  const auto again = read_g_structs(memory, layout, addresses);
  if (!again) return fail(again.error());
  std::uint64_t moved = 0;
  std::size_t next = 0;
  for (Goroutine& g : goroutines) {
    const bool reread = next < again->size() && (*again)[next].address == g.raw.address;
    const bool still = reread && (*again)[next].same_stop(g.raw);
    if (reread) ++next;
    if (still || !stopped(g.raw)) continue;
    ++moved;
    g.frames.clear();
    g.channel.reset();
  }
  return moved;
}

// Some thousand goroutines at a time: little memory, whatever their number, and little time between first and last
// look.
constexpr std::size_t kChunk = 4096;
constexpr std::size_t kMaxAlive = 2'000'000;  // as many as a ledger holds

Result<void> read_chunk(const target::GoProcess& process, const Memory& memory, const SnapshotOptions& options,
                        std::span<const std::uint64_t> addresses, Snapshot& snapshot) {
  const target::Layout& layout = process.binary->layout();
  const auto all = read_g_structs(memory, layout, addresses);
  if (!all) return fail(all.error());
  snapshot.implausible += addresses.size() - all->size();
  std::vector<RawGoroutine> alive;
  for (const RawGoroutine& g : *all) {
    if (g.dead()) continue;
    if (plausible(g)) {
      alive.push_back(g);
    } else {
      ++snapshot.implausible;
    }
  }
  const auto channels = read_channels(memory, layout, alive);
  if (!channels) return fail(channels.error());
  std::vector<Goroutine> goroutines(alive.size());
  for (std::size_t i = 0; i < alive.size(); ++i) {
    goroutines[i].raw = alive[i];
    goroutines[i].channel = (*channels)[i];
  }
  if (auto ok = read_stacks(process, memory, options.max_frames, goroutines); !ok) return ok;
  const auto moved = drop_moved_stacks(memory, layout, goroutines);
  if (!moved) return fail(moved.error());
  snapshot.moved += *moved;
  for (Goroutine& g : goroutines) {
    g.system = is_system(g, process);
    g.frames.shrink_to_fit();
    snapshot.goroutines.push_back(std::move(g));
  }
  return {};
}

}  // namespace

Result<Snapshot> take_snapshot(const target::GoProcess& process, const Memory& memory, const SnapshotOptions& options) {
  Snapshot snapshot;
  snapshot.begin = MonotonicClock::now();
  const auto addresses = read_all_g_addresses(memory, process.runtime_address(process.binary->globals().allgs));
  if (!addresses) return fail(addresses.error());
  const std::span<const std::uint64_t> all(*addresses);
  for (std::size_t at = 0; at < all.size(); at += kChunk) {
    const auto chunk = all.subspan(at, std::min(kChunk, all.size() - at));
    if (auto ok = read_chunk(process, memory, options, chunk, snapshot); !ok) return fail(ok.error());
    if (snapshot.goroutines.size() > kMaxAlive) {
      return fail(ErrorKind::unsupported, "more than " + std::to_string(kMaxAlive) + " goroutines: too many to hold");
    }
  }
  // A moving program may show a torn struct now and then. Where they are many, the offsets are not this program's.
  const std::size_t alive = snapshot.goroutines.size();
  if (alive == 0 || snapshot.implausible > 2 + alive / 20) {
    return fail(ErrorKind::invalid,
                std::to_string(snapshot.implausible) + " of " + std::to_string(snapshot.implausible + alive) +
                    " goroutines have impossible contents: the runtime's layout is not the one of " +
                    process.binary->build_info().version.text);
  }
  // The same goroutine twice: its g was given to another in between, and both reads saw it alive.
  const auto goid = [](const Goroutine& g) { return g.raw.goid; };
  std::ranges::sort(snapshot.goroutines, {}, goid);
  const auto twice = std::ranges::unique(snapshot.goroutines, {}, goid);
  snapshot.goroutines.erase(twice.begin(), twice.end());
  snapshot.end = MonotonicClock::now();
  return snapshot;
}

}  // namespace goleakd::snapshot
