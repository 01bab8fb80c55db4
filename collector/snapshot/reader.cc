// SPDX-License-Identifier: Apache-2.0
#include "snapshot/reader.h"

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/hash.h"
#include "snapshot/channels.h"
#include "snapshot/merged_read.h"
#include "snapshot/runtime_check.h"
#include "snapshot/stack_table.h"

namespace goleakd::snapshot {
namespace {

// Some thousand goroutines at a time: little memory, whatever their number, and little time between first and last
// look.
constexpr std::size_t kChunk = 2048;
constexpr std::size_t kMaxAlive = 2'000'000;      // as many as a ledger holds
constexpr std::size_t kMaxBirths = 100'000;       // distinct `go` statements: what a target shows may be made up
constexpr std::uint64_t kFirstStackBytes = 1024;  // most parked stacks need no more
constexpr std::uint64_t kChannelAddress = (1ULL << 47U) - 1;  // of a packed channel: flags above

bool stopped(const RawGoroutine& g) {
  return g.status == GStatus::runnable || g.status == GStatus::syscall || g.status == GStatus::preempted || g.blocked();
}

// In a system call g.sched is not kept up to date.
UnwindStart stop_of(const RawGoroutine& g) {
  if (g.status == GStatus::syscall && g.syscall_sp != 0) return {g.syscall_pc, g.syscall_sp, 0};
  return {g.sched_pc, g.sched_sp, 0};
}

// What every transition of a goroutine changes (g.trackingSeq), or its place in the code. The depth of the stack rather
// than its address: the collector moves stacks.
std::uint64_t park_identity(const RawGoroutine& g) {
  const UnwindStart stop = stop_of(g);
  return mix_words(mix_words(g.stack_hi - stop.sp, stop.pc), std::uint64_t{g.tracking_seq} << 8U | g.wait_reason);
}

// The runtime's goroutine that runs finalizers or cleanups, which are the program's code.
bool runs_user_code_at_times(std::string_view start) {
  return start == "runtime.runfinq" || start == "runtime.runFinalizers" || start == "runtime.runCleanups";
}

enum class Owner : std::uint8_t { program, runtime, runtime_at_times };

Owner owner_of(const target::GoProcess& process, std::uint64_t startpc) {
  const auto start = process.binary->functions().function_at(process.link_address(startpc));
  if (!start || !start->name.starts_with("runtime.")) return Owner::program;
  if (start->name == "runtime.main" || start->name == "runtime.handleAsyncEvent" ||
      start->name == "runtime.corostart") {
    return Owner::program;
  }
  return runs_user_code_at_times(start->name) ? Owner::runtime_at_times : Owner::runtime;
}

bool all_frames_are_the_runtimes(const target::GoProcess& process, const Stack& stack) {
  return std::ranges::all_of(stack.frames, [&](const StackFrame& frame) {
    const auto function = process.binary->functions().function_at(frame.symbol_pc);
    return function && (function->name.starts_with("runtime.") || function->name.starts_with("internal/"));
  });
}

std::uint64_t packed(const Channel& channel) {
  std::uint64_t word = channel.address & kChannelAddress;
  if (channel.capacity == 0) word |= 1ULL << 61U;
  if (channel.capacity > 0 && channel.length == channel.capacity) word |= 1ULL << 62U;
  return word;
}

void unpack(std::uint64_t word, Goroutine& g) {
  g.channel = word & kChannelAddress;
  g.unbuffered = (word >> 61U & 1U) != 0;
  g.full = (word >> 62U & 1U) != 0;
}

}  // namespace

struct Reader::State {
  State(std::shared_ptr<const target::GoProcess> of, const Memory& from)
      : process(std::move(of)), memory(from), layout(process->binary->layout()) {}

  Result<void> learn_new_gs();
  Result<void> read_chunk(std::size_t first, std::size_t count, const SnapshotOptions& options, Snapshot& snapshot);
  Result<void> read_channels_of(const std::vector<RawGoroutine>& alive, const std::vector<std::size_t>& slots);
  Result<void> read_stacks(const std::vector<RawGoroutine>& alive, const std::vector<std::size_t>& slots,
                           const SnapshotOptions& options);
  std::uint32_t stack_of(const RawGoroutine& g, const UnwindStart& stop, ByteSpan bytes, std::size_t max_frames);
  Result<void> drop_moved(const std::vector<RawGoroutine>& alive, const std::vector<std::size_t>& slots,
                          std::uint64_t& moved);
  std::uint32_t birth_of(const RawGoroutine& g);
  bool is_system(const RawGoroutine& g, std::uint32_t birth, std::uint32_t stack) const;
  Result<void> check(const std::vector<RawGoroutine>& alive);

  std::shared_ptr<const target::GoProcess> process;
  const Memory& memory;
  const target::Layout& layout;

  // For each g, by address: neighbours in memory are neighbours here, so that a chunk is a few large reads. What it
  // showed last time; identity 0: nothing that may be used again.
  std::vector<std::uint64_t> addresses;
  std::vector<std::uint64_t> identities;
  std::vector<std::uint64_t> channels;
  std::vector<std::uint32_t> stack_ids;
  template <typename Change>
  void each_column(const Change& change) {
    change(addresses);
    change(identities);
    change(channels);
    change(stack_ids);
  }

  StackTable stacks;
  std::vector<Birth> births{1};
  std::vector<Owner> owners{Owner::program};
  std::unordered_map<std::uint64_t, std::uint32_t> births_by_gopc;

  bool checked = false;  // that the layout is this program's
  bool channels_usable = true;
  MergedRead reads;
};

// allgs is only added to. The few that came are sorted in among the others, with what is known of those.
Result<void> Reader::State::learn_new_gs() {
  const std::size_t known = addresses.size();
  auto fresh = read_g_addresses(memory, process->runtime_address(process->binary->globals().allgs), known);
  if (!fresh) return fail(fresh.error());
  if (fresh->empty()) return {};
  std::ranges::sort(*fresh);
  const std::size_t size = known + fresh->size();
  each_column([&](auto& column) {
    column.reserve(size);  // no more than that: there may be a million
    column.resize(size);
  });
  // From the back, so that nothing is overwritten before it has moved.
  for (std::size_t to = size, old = known, add = fresh->size(); add > 0;) {
    --to;
    if (old > 0 && addresses[old - 1] > (*fresh)[add - 1]) {
      --old;
      each_column([&](auto& column) { column[to] = column[old]; });
    } else {
      --add;
      each_column([&](auto& column) { column[to] = 0; });
      addresses[to] = (*fresh)[add];
    }
  }
  if (std::ranges::adjacent_find(addresses) != addresses.end()) {
    each_column([](auto& column) { column.clear(); });  // the next snapshot reads the table anew
    return fail(ErrorKind::invalid, "runtime.allgs holds the same goroutine twice");
  }
  return {};
}

std::uint32_t Reader::State::birth_of(const RawGoroutine& g) {
  const std::uint64_t key = mix_words(g.gopc, g.startpc);
  const auto known = births_by_gopc.find(key);
  if (known != births_by_gopc.end()) return known->second;
  if (births.size() >= kMaxBirths) return 0;
  births.push_back({.gopc = g.gopc, .startpc = g.startpc});
  owners.push_back(owner_of(*process, g.startpc));
  return births_by_gopc[key] = static_cast<std::uint32_t>(births.size() - 1);
}

// runtime.isSystemGoroutine: started by the runtime itself. Whether one that runs finalizers is doing so just now, the
// runtime knows by a flag; from outside its frames tell, and where it has none because it is running, that it does.
bool Reader::State::is_system(const RawGoroutine& g, std::uint32_t birth, std::uint32_t stack) const {
  if (owners[birth] != Owner::runtime_at_times) return owners[birth] == Owner::runtime;
  return g.status != GStatus::running && all_frames_are_the_runtimes(*process, *stacks.stacks()[stack]);
}

Result<void> Reader::State::check(const std::vector<RawGoroutine>& alive) {
  if (checked || alive.empty()) return {};
  if (process->binary->layout_origin() == target::LayoutOrigin::nearest) {
    if (const auto broken = broken_walk(*process, alive)) {
      return fail(ErrorKind::unsupported, process->binary->build_info().version.text +
                                              " is not known, and the layout of Go 1." + std::to_string(layout.minor) +
                                              " does not fit it: " + *broken);
    }
    channels_usable = !broken_wait_objects(*process, memory, alive).has_value();
  }
  checked = true;
  return {};
}

Result<void> Reader::State::read_channels_of(const std::vector<RawGoroutine>& alive,
                                             const std::vector<std::size_t>& slots) {
  if (!channels_usable) return {};
  const auto read = read_channels(memory, layout, alive);
  if (!read) return fail(read.error());
  for (std::size_t i = 0; i < slots.size(); ++i) channels[slots[i]] = (*read)[i] ? packed(*(*read)[i]) : 0;
  return {};
}

std::uint32_t Reader::State::stack_of(const RawGoroutine& g, const UnwindStart& stop, ByteSpan bytes,
                                      std::size_t max_frames) {
  const std::uint64_t depth = g.stack_hi - stop.sp;
  const std::uint64_t pc = process->link_address(stop.pc);
  if (const std::uint32_t known = stacks.recognise(pc, depth, bytes, process->load_bias)) return known;
  Stack stack;
  StackBytes part{.base = stop.sp, .bytes = {bytes.begin(), bytes.end()}, .end = g.stack_hi};
  stack.end = unwind(process->binary->functions(), memory, part, {stop.pc, stop.sp, process->load_bias}, max_frames,
                     stack.frames);
  return stacks.add(depth, std::move(stack));
}

Result<void> Reader::State::read_stacks(const std::vector<RawGoroutine>& alive, const std::vector<std::size_t>& slots,
                                        const SnapshotOptions& options) {
  reads.clear();
  std::vector<UnwindStart> stops(alive.size());
  for (std::size_t i = 0; i < alive.size(); ++i) {
    const RawGoroutine& g = alive[i];
    const auto known = options.running.find(g.address);
    if (stopped(g)) {
      stops[i] = stop_of(g);
    } else if (known != options.running.end()) {
      stops[i] = known->second;
    }
    const std::uint64_t sp = stops[i].sp;
    const bool readable = sp >= g.stack_lo && sp < g.stack_hi;
    if (!readable) stops[i].sp = 0;
    const std::uint64_t depth = readable ? g.stack_hi - sp : 0;
    const std::uint64_t wanted = readable ? stacks.bytes_wanted(process->link_address(stops[i].pc), depth) : 0;
    reads.add(sp, static_cast<std::uint32_t>(std::min(depth, wanted > 0 ? wanted : kFirstStackBytes)));
  }
  if (auto ok = reads.read(memory); !ok) return ok;
  for (std::size_t i = 0; i < alive.size(); ++i) {
    const bool read = stops[i].sp != 0 && !reads[i].empty();
    stack_ids[slots[i]] = read ? stack_of(alive[i], stops[i], reads[i], options.max_frames) : 0;
  }
  return {};
}

// A stack counts only when its goroutine stood still from before it was read until after.
Result<void> Reader::State::drop_moved(const std::vector<RawGoroutine>& alive, const std::vector<std::size_t>& slots,
                                       std::uint64_t& moved) {
  reads.clear();
  for (const RawGoroutine& g : alive) reads.add(g.address, layout.g.size);
  if (auto ok = reads.read(memory); !ok) return ok;
  for (std::size_t i = 0; i < alive.size(); ++i) {
    if (!stopped(alive[i]) || decode_g(reads[i], alive[i].address, layout.g).same_stop(alive[i])) continue;
    ++moved;
    stack_ids[slots[i]] = 0;
    channels[slots[i]] = 0;
    identities[slots[i]] = 0;
  }
  return {};
}

Result<void> Reader::State::read_chunk(std::size_t first, std::size_t count, const SnapshotOptions& options,
                                       Snapshot& snapshot) {
  reads.clear();
  for (std::size_t i = first; i < first + count; ++i) reads.add(addresses[i], layout.g.size);
  if (auto ok = reads.read(memory); !ok) return ok;
  std::vector<RawGoroutine> alive;
  std::vector<std::size_t> slots;    // of alive
  std::vector<std::uint64_t> parks;  // of alive
  std::vector<RawGoroutine> moved_on;
  std::vector<std::size_t> moved_on_slots;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t slot = first + i;
    const RawGoroutine g = decode_g(reads[i], addresses[slot], layout.g);
    const bool fit = !reads[i].empty() && plausible(g);
    if (!fit) ++snapshot.implausible;
    if (!fit || g.dead()) {
      identities[slot] = 0;
      continue;
    }
    alive.push_back(g);
    slots.push_back(slot);
    parks.push_back(park_identity(g));
    const std::uint64_t identity = mix_words(mix_words(parks.back(), g.goid), g.wait_since);
    if (g.blocked() && identities[slot] == identity && (!options.stacks || stack_ids[slot] != 0)) {
      ++snapshot.reused;
      continue;
    }
    // A coroutine switch leaves no trace in the g: what it showed may have changed unseen.
    const bool traced = g.blocked() && layout.wait_reason(g.wait_reason) != "coroutine";
    identities[slot] = traced ? identity : 0;
    channels[slot] = 0;
    stack_ids[slot] = 0;
    moved_on.push_back(g);
    moved_on_slots.push_back(slot);
  }
  if (auto ok = check(alive); !ok) return ok;
  if (!moved_on.empty()) {
    if (auto ok = read_channels_of(moved_on, moved_on_slots); !ok) return ok;
    if (options.stacks) {
      if (auto ok = read_stacks(moved_on, moved_on_slots, options); !ok) return ok;
    }
    if (auto ok = drop_moved(moved_on, moved_on_slots, snapshot.moved); !ok) return ok;
  }
  for (std::size_t i = 0; i < alive.size(); ++i) {
    const RawGoroutine& raw = alive[i];
    Goroutine g;
    g.goid = raw.goid;
    g.parent = raw.parent;
    g.wait_since = raw.wait_since;
    g.park_identity = parks[i];
    g.birth = birth_of(raw);
    g.stack = stack_ids[slots[i]];
    g.stack_bytes = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(raw.stack_hi - raw.stack_lo, std::numeric_limits<std::uint32_t>::max()));
    g.status = raw.status;
    g.wait_reason = raw.wait_reason;
    g.system = is_system(raw, g.birth, g.stack);
    unpack(channels[slots[i]], g);
    snapshot.goroutines.push_back(g);
    if (options.raw) snapshot.raw.push_back(raw);
  }
  return {};
}

Reader::Reader(std::shared_ptr<const target::GoProcess> process, const Memory& memory)
    : state_(std::make_unique<State>(std::move(process), memory)) {}
Reader::~Reader() = default;

Result<Snapshot> Reader::take(const SnapshotOptions& options) {
  State& state = *state_;
  Snapshot snapshot;
  snapshot.begin = MonotonicClock::now();
  if (auto ok = state.learn_new_gs(); !ok) return fail(ok.error());
  if (state.stacks.full()) {
    state.stacks.reset();
    std::ranges::fill(state.identities, 0);
  }
  const std::size_t all = state.addresses.size();
  snapshot.goroutines.reserve(std::min(all, kMaxAlive));
  for (std::size_t at = 0; at < all; at += kChunk) {
    if (options.progress && !options.progress(at, all)) {
      return fail(ErrorKind::gone, "reading the goroutines was given up");
    }
    if (auto ok = state.read_chunk(at, std::min(kChunk, all - at), options, snapshot); !ok) return fail(ok.error());
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
                    state.process->binary->build_info().version.text);
  }
  snapshot.stacks = state.stacks.stacks();
  snapshot.births = state.births;
  snapshot.end = MonotonicClock::now();
  return snapshot;
}

}  // namespace goleakd::snapshot
