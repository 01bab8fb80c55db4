// SPDX-License-Identifier: Apache-2.0
#include "snapshot/chunk_reader.h"

#include <algorithm>
#include <limits>
#include <mutex>
#include <string>
#include <utility>

#include "base/hash.h"
#include "snapshot/runtime_check.h"

namespace goleakd::snapshot {
namespace {

constexpr std::uint64_t kStackGap = 2048;                     // between two small stacks of one span
constexpr std::uint64_t kFirstStackBytes = 1024;              // most parked stacks need no more
constexpr std::uint64_t kChannelAddress = (1ULL << 47U) - 1;  // of a packed channel: flags above

bool stopped(const RawGoroutine& g) {
  return g.status == GStatus::runnable || g.status == GStatus::syscall || g.status == GStatus::preempted || g.blocked();
}

// What every transition of a goroutine changes (g.trackingSeq), or its place in the code. The depth of the stack rather
// than its address: the collector moves stacks.
std::uint64_t park_identity(const RawGoroutine& g) {
  return mix_words(mix_words(g.stack_hi - g.stop_sp(), g.stop_pc()),
                   std::uint64_t{g.tracking_seq} << 8U | g.wait_reason);
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

ChunkReader::ChunkReader(KnownGoroutines& known) : known_(known), stack_reads_(kStackGap), channels_(known.layout) {
  for (std::size_t reason = 0; reason < leaves_a_trace_.size(); ++reason) {
    leaves_a_trace_[reason] = known.layout.wait_reason(static_cast<std::uint8_t>(reason)) != "coroutine";
  }
}

Result<void> ChunkReader::read(std::size_t first, std::size_t count, const SnapshotOptions& options,
                               Snapshot& snapshot) {
  reads_.clear();
  for (std::size_t slot = first; slot < first + count; ++slot) {
    reads_.add(known_.slots.addresses[slot], known_.layout.g.size);
  }
  if (auto ok = reads_.read(known_.memory); !ok) return ok;
  sort_out(first, count, options, snapshot);
  if (moved_.empty()) return {};
  if (auto ok = look_closely(options, snapshot.moved); !ok) return ok;
  learn_births();
  const std::shared_lock lock(known_.mutex);
  for (std::size_t i = 0; i < moved_.size(); ++i) show(moved_[i], moved_slots_[i], moved_parks_[i], options, snapshot);
  return {};
}

// Shows those that stand where they stood, and keeps the others for a closer look.
void ChunkReader::sort_out(std::size_t first, std::size_t count, const SnapshotOptions& options, Snapshot& snapshot) {
  moved_.clear();
  moved_slots_.clear();
  moved_parks_.clear();
  GSlots& slots = known_.slots;
  const std::shared_lock lock(known_.mutex);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t slot = first + i;
    const ByteSpan bytes = reads_[i];
    const RawGoroutine g = decode_g(bytes, slots.addresses[slot], known_.layout.g);
    const bool fit = !bytes.empty() && plausible(g);
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
    // A coroutine switch leaves no trace in the g: what it showed may have changed unseen.
    if (g.blocked() && leaves_a_trace_[g.wait_reason]) slots.identities[slot] = identity;
    moved_.push_back(g);
    moved_slots_.push_back(slot);
    moved_parks_.push_back(park);
  }
}

Result<void> ChunkReader::look_closely(const SnapshotOptions& options, std::uint64_t& moving) {
  if (auto ok = check(); !ok) return ok;
  if (auto ok = read_channels(); !ok) return ok;
  if (options.stacks) {
    if (auto ok = read_stacks(options); !ok) return ok;
    recognise_stacks();
    walk_stacks(options.max_frames);
  }
  return drop_moving(moving);
}

// By the first chunk that is read of the process: of that, all have moved.
Result<void> ChunkReader::check() {
  if (known_.checked) return {};
  const std::unique_lock lock(known_.mutex);
  if (known_.checked) return {};
  const target::GoBinary& binary = *known_.process->binary;
  if (binary.layout_origin() == target::LayoutOrigin::nearest) {
    if (const auto broken = broken_walk(*known_.process, moved_)) {
      return fail(ErrorKind::unsupported, binary.build_info().version.text + " is not known, and the layout of Go 1." +
                                              std::to_string(known_.layout.minor) + " does not fit it: " + *broken);
    }
    known_.channels_usable = !broken_wait_objects(*known_.process, known_.memory, moved_).has_value();
  }
  known_.checked = true;
  return {};
}

Result<void> ChunkReader::read_channels() {
  if (!known_.channels_usable) return {};
  const auto read = channels_.read(known_.memory, moved_);
  if (!read) return fail(read.error());
  for (std::size_t i = 0; i < moved_.size(); ++i) {
    known_.slots.channels[moved_slots_[i]] = (*read)[i] ? packed(*(*read)[i]) : 0;
  }
  return {};
}

Result<void> ChunkReader::read_stacks(const SnapshotOptions& options) {
  stack_reads_.clear();
  stops_.assign(moved_.size(), {});
  {
    const std::shared_lock lock(known_.mutex);
    for (std::size_t i = 0; i < moved_.size(); ++i) {
      const RawGoroutine& g = moved_[i];
      UnwindStart start;
      if (stopped(g)) {
        start = {g.stop_pc(), g.stop_sp(), 0};
      } else if (const auto known = options.running.find(g.address); known != options.running.end()) {
        start = known->second;
      }
      if (start.sp < g.stack_lo || start.sp >= g.stack_hi) {
        stack_reads_.add(0, 0);
        continue;
      }
      const std::uint64_t depth = g.stack_hi - start.sp;
      const std::uint64_t pc = known_.process->link_address(start.pc);
      const auto* candidates = known_.stacks.candidates(pc, depth);
      stops_[i] = {.start = start, .pc = pc, .depth = depth, .candidates = candidates};
      const std::uint64_t wanted = candidates == nullptr ? kFirstStackBytes : candidates->bytes;
      stack_reads_.add(start.sp, static_cast<std::uint32_t>(std::min(depth, wanted)));
    }
  }
  return stack_reads_.read(known_.memory);
}

// Its index, or 0.
std::uint32_t ChunkReader::recognised(std::size_t moved) const {
  const Stop& stop = stops_[moved];
  if (stop.candidates == nullptr) return 0;
  return known_.stacks.recognise(*stop.candidates, stop.pc, stack_reads_[moved], known_.process->load_bias);
}

void ChunkReader::recognise_stacks() {
  unknown_stacks_.clear();
  const std::shared_lock lock(known_.mutex);
  for (std::size_t i = 0; i < moved_.size(); ++i) {
    if (stack_reads_[i].empty()) continue;
    const std::uint32_t stack = recognised(i);
    known_.slots.stacks[moved_slots_[i]] = stack;
    if (stack == 0) unknown_stacks_.push_back(i);
  }
}

void ChunkReader::walk_stacks(std::size_t max_frames) {
  if (unknown_stacks_.empty()) return;
  const target::GoProcess& process = *known_.process;
  const std::unique_lock lock(known_.mutex);
  for (const std::size_t i : unknown_stacks_) {
    Stop& stop = stops_[i];
    std::uint32_t& stack = known_.slots.stacks[moved_slots_[i]];
    // One that came before it in this chunk may have been the same.
    stop.candidates = known_.stacks.candidates(stop.pc, stop.depth);
    stack = recognised(i);
    if (stack != 0) continue;
    const ByteSpan bytes = stack_reads_[i];
    Stack walked;
    StackBytes part{.base = stop.start.sp, .bytes = {bytes.begin(), bytes.end()}, .end = moved_[i].stack_hi};
    walked.end = unwind(process.binary->functions(), known_.memory, part,
                        {stop.start.pc, stop.start.sp, process.load_bias}, max_frames, walked.frames);
    stack = known_.stacks.add(stop.depth, std::move(walked));
  }
}

// What was read of a goroutine counts only when it stood still from before that until after.
Result<void> ChunkReader::drop_moving(std::uint64_t& count) {
  reads_.clear();
  for (const RawGoroutine& g : moved_) reads_.add(g.address, known_.layout.g.size);
  if (auto ok = reads_.read(known_.memory); !ok) return ok;
  for (std::size_t i = 0; i < moved_.size(); ++i) {
    const RawGoroutine& g = moved_[i];
    if (!stopped(g) || decode_g(reads_[i], g.address, known_.layout.g).same_stop(g)) continue;
    ++count;
    known_.slots.forget(moved_slots_[i]);
  }
  return {};
}

void ChunkReader::learn_births() {
  const auto is_new = [&](const RawGoroutine& g) { return birth_of(g) == 0; };
  if (std::shared_lock lock(known_.mutex); std::ranges::none_of(moved_, is_new)) return;
  const std::unique_lock lock(known_.mutex);
  for (const RawGoroutine& g : moved_) known_.births.add({.gopc = g.gopc, .startpc = g.startpc});
}

// 0 while it is not in the table, which takes a lock.
std::uint32_t ChunkReader::birth_of(const RawGoroutine& g) {
  const Birth birth{.gopc = g.gopc, .startpc = g.startpc};
  RecentBirth& recent = recent_births_[mix_words(g.gopc, g.startpc) % recent_births_.size()];
  if (recent.index == 0 || recent.birth != birth) recent = {.birth = birth, .index = known_.births.find(birth)};
  return recent.index;
}

void ChunkReader::show(const RawGoroutine& raw, std::size_t slot, std::uint64_t park, const SnapshotOptions& options,
                       Snapshot& snapshot) {
  Goroutine g;
  g.goid = raw.goid;
  g.parent = raw.parent;
  g.wait_since = raw.wait_since;
  g.park_identity = park;
  g.birth = birth_of(raw);
  g.stack = known_.slots.stacks[slot];
  g.stack_bytes = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(raw.stack_hi - raw.stack_lo, std::numeric_limits<std::uint32_t>::max()));
  g.status = raw.status;
  g.wait_reason = raw.wait_reason;
  g.system = known_.births.is_system(raw, g.birth, *known_.stacks.stacks()[g.stack]);
  unpack(known_.slots.channels[slot], g);
  snapshot.goroutines.push_back(g);
  if (options.raw) snapshot.raw.push_back(raw);
  if (options.pick.contains(raw.goid)) snapshot.picked.push_back({.goroutine = g, .raw = raw});
}

}  // namespace goleakd::snapshot
