// SPDX-License-Identifier: Apache-2.0
#include "snapshot/reader.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>

#include "base/hash.h"
#include "snapshot/birth_table.h"
#include "snapshot/channels.h"
#include "snapshot/g_slots.h"
#include "snapshot/merged_read.h"
#include "snapshot/runtime_check.h"
#include "snapshot/stack_table.h"

namespace goleakd::snapshot {
namespace {

// Some goroutines at a time: their structs and stacks stay in the processor's cache from the first look to the last,
// and little time passes between those.
constexpr std::size_t kChunk = 512;
constexpr std::uint64_t kStackGap = 4096;                     // between two small stacks of one span
constexpr std::size_t kMaxAlive = 2'000'000;                  // as many as a ledger holds
constexpr std::uint64_t kFirstStackBytes = 1024;              // most parked stacks need no more
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
      : process(std::move(of)), memory(from), layout(process->binary->layout()), births(process), channels(layout) {
    for (std::size_t reason = 0; reason < leaves_a_trace.size(); ++reason) {
      leaves_a_trace[reason] = layout.wait_reason(static_cast<std::uint8_t>(reason)) != "coroutine";
    }
  }

  struct Stop {
    UnwindStart start;
    const StackTable::Candidates* candidates = nullptr;
  };

  Result<void> read_chunk(std::size_t first, std::size_t count, const SnapshotOptions& options, Snapshot& snapshot);
  Result<void> look_closely(const SnapshotOptions& options, std::uint64_t& moved);
  Result<void> read_channels();
  Result<void> read_stacks(const SnapshotOptions& options);
  std::uint32_t stack_of(const RawGoroutine& g, const Stop& stop, ByteSpan bytes, std::size_t max_frames);
  Result<void> drop_moving(std::uint64_t& moved);
  Result<void> check();
  void show(const RawGoroutine& raw, std::size_t slot, std::uint64_t park, const SnapshotOptions& options,
            Snapshot& snapshot);

  std::shared_ptr<const target::GoProcess> process;
  const Memory& memory;
  const target::Layout& layout;
  GSlots slots;
  StackTable stacks;
  BirthTable births;
  std::array<bool, 256> leaves_a_trace{};  // by wait reason: in the g, when it has moved on

  bool checked = false;  // that the layout is this program's
  bool channels_usable = true;

  // Buffers, for the chunk at hand.
  MergedRead reads;
  MergedRead stack_reads{kStackGap};
  ChannelReader channels;
  std::vector<Stop> stops;
  // Those that are not where the last snapshot saw them.
  struct Moved {
    std::vector<RawGoroutine> goroutines;
    std::vector<std::size_t> slots;
    std::vector<std::uint64_t> parks;
  } moved;
};

// In the first chunk, of which all have moved.
Result<void> Reader::State::check() {
  if (checked || moved.goroutines.empty()) return {};
  if (process->binary->layout_origin() == target::LayoutOrigin::nearest) {
    if (const auto broken = broken_walk(*process, moved.goroutines)) {
      return fail(ErrorKind::unsupported, process->binary->build_info().version.text +
                                              " is not known, and the layout of Go 1." + std::to_string(layout.minor) +
                                              " does not fit it: " + *broken);
    }
    channels_usable = !broken_wait_objects(*process, memory, moved.goroutines).has_value();
  }
  checked = true;
  return {};
}

Result<void> Reader::State::read_channels() {
  if (!channels_usable) return {};
  const auto read = channels.read(memory, moved.goroutines);
  if (!read) return fail(read.error());
  for (std::size_t i = 0; i < moved.slots.size(); ++i) {
    slots.channels[moved.slots[i]] = (*read)[i] ? packed(*(*read)[i]) : 0;
  }
  return {};
}

std::uint32_t Reader::State::stack_of(const RawGoroutine& g, const Stop& stop, ByteSpan bytes, std::size_t max_frames) {
  const UnwindStart& start = stop.start;
  if (stop.candidates != nullptr) {
    const std::uint64_t pc = process->link_address(start.pc);
    if (const auto known = stacks.recognise(*stop.candidates, pc, bytes, process->load_bias)) return known;
  }
  Stack stack;
  StackBytes part{.base = start.sp, .bytes = {bytes.begin(), bytes.end()}, .end = g.stack_hi};
  stack.end = unwind(process->binary->functions(), memory, part, {start.pc, start.sp, process->load_bias}, max_frames,
                     stack.frames);
  return stacks.add(g.stack_hi - start.sp, std::move(stack));
}

Result<void> Reader::State::read_stacks(const SnapshotOptions& options) {
  stack_reads.clear();
  stops.assign(moved.goroutines.size(), {});
  for (std::size_t i = 0; i < stops.size(); ++i) {
    const RawGoroutine& g = moved.goroutines[i];
    UnwindStart start;
    if (stopped(g)) {
      start = stop_of(g);
    } else if (const auto known = options.running.find(g.address); known != options.running.end()) {
      start = known->second;
    }
    if (start.sp < g.stack_lo || start.sp >= g.stack_hi) {
      stack_reads.add(0, 0);
      continue;
    }
    const std::uint64_t depth = g.stack_hi - start.sp;
    const auto* candidates = stacks.candidates(process->link_address(start.pc), depth);
    stops[i] = {start, candidates};
    const std::uint64_t wanted = candidates == nullptr ? kFirstStackBytes : candidates->bytes;
    stack_reads.add(start.sp, static_cast<std::uint32_t>(std::min(depth, wanted)));
  }
  if (auto ok = stack_reads.read(memory); !ok) return ok;
  for (std::size_t i = 0; i < stops.size(); ++i) {
    const ByteSpan bytes = stack_reads[i];
    if (bytes.empty()) continue;
    slots.stacks[moved.slots[i]] = stack_of(moved.goroutines[i], stops[i], bytes, options.max_frames);
  }
  return {};
}

// What was read of a goroutine counts only when it stood still from before that until after.
Result<void> Reader::State::drop_moving(std::uint64_t& count) {
  reads.clear();
  for (const RawGoroutine& g : moved.goroutines) reads.add(g.address, layout.g.size);
  if (auto ok = reads.read(memory); !ok) return ok;
  for (std::size_t i = 0; i < moved.slots.size(); ++i) {
    const RawGoroutine& g = moved.goroutines[i];
    if (!stopped(g) || decode_g(reads[i], g.address, layout.g).same_stop(g)) continue;
    ++count;
    slots.forget(moved.slots[i]);
  }
  return {};
}

Result<void> Reader::State::look_closely(const SnapshotOptions& options, std::uint64_t& moving) {
  if (moved.goroutines.empty()) return {};
  if (auto ok = check(); !ok) return ok;
  if (auto ok = read_channels(); !ok) return ok;
  if (options.stacks) {
    if (auto ok = read_stacks(options); !ok) return ok;
  }
  return drop_moving(moving);
}

void Reader::State::show(const RawGoroutine& raw, std::size_t slot, std::uint64_t park, const SnapshotOptions& options,
                         Snapshot& snapshot) {
  Goroutine g;
  g.goid = raw.goid;
  g.parent = raw.parent;
  g.wait_since = raw.wait_since;
  g.park_identity = park;
  g.birth = births.index_of(raw);
  g.stack = slots.stacks[slot];
  g.stack_bytes = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(raw.stack_hi - raw.stack_lo, std::numeric_limits<std::uint32_t>::max()));
  g.status = raw.status;
  g.wait_reason = raw.wait_reason;
  g.system = births.is_system(raw, g.birth, *stacks.stacks()[g.stack]);
  unpack(slots.channels[slot], g);
  snapshot.goroutines.push_back(g);
  if (options.raw) snapshot.raw.push_back(raw);
}

Result<void> Reader::State::read_chunk(std::size_t first, std::size_t count, const SnapshotOptions& options,
                                       Snapshot& snapshot) {
  reads.clear();
  moved.goroutines.clear();
  moved.slots.clear();
  moved.parks.clear();
  for (std::size_t slot = first; slot < first + count; ++slot) reads.add(slots.addresses[slot], layout.g.size);
  if (auto ok = reads.read(memory); !ok) return ok;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t slot = first + i;
    const RawGoroutine g = decode_g(reads[i], slots.addresses[slot], layout.g);
    const bool fit = !reads[i].empty() && plausible(g);
    if (!fit) ++snapshot.implausible;
    if (!fit || g.dead()) {
      slots.identities[slot] = 0;
      continue;
    }
    const std::uint64_t park = park_identity(g);
    const std::uint64_t identity = mix_words(mix_words(park, g.goid), g.wait_since);
    if (g.blocked() && slots.identities[slot] == identity && (!options.stacks || slots.stacks[slot] != 0)) {
      ++snapshot.reused;
      show(g, slot, park, options, snapshot);
      continue;
    }
    slots.forget(slot);
    if (g.blocked() && leaves_a_trace[g.wait_reason]) slots.identities[slot] = identity;
    moved.goroutines.push_back(g);
    moved.slots.push_back(slot);
    moved.parks.push_back(park);
  }
  if (auto ok = look_closely(options, snapshot.moved); !ok) return ok;
  for (std::size_t i = 0; i < moved.slots.size(); ++i) {
    show(moved.goroutines[i], moved.slots[i], moved.parks[i], options, snapshot);
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
  const std::uint64_t allgs = state.process->runtime_address(state.process->binary->globals().allgs);
  if (auto ok = state.slots.learn(state.memory, allgs); !ok) return fail(ok.error());
  if (state.stacks.full()) {
    state.stacks.reset();
    state.slots.forget_all();
  }
  const std::size_t all = state.slots.size();
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
  snapshot.births = state.births.births();
  snapshot.end = MonotonicClock::now();
  return snapshot;
}

}  // namespace goleakd::snapshot
