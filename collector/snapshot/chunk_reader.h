// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "snapshot/channels.h"
#include "snapshot/known_goroutines.h"
#include "snapshot/merged_read.h"
#include "snapshot/reader.h"
#include "snapshot/snapshot.h"

namespace goleakd::snapshot {

// Reads some goroutines at a time: their structs and stacks stay in the processor's cache from the first look to the
// last, and little time passes between those. Its buffers are kept from one chunk to the next. One thread at a time.
class ChunkReader {
 public:
  // Borrows.
  explicit ChunkReader(KnownGoroutines& known);

  static constexpr std::size_t kChunk = 256;
  // Adds the goroutines of the slots from `first` on to `snapshot`. An error when there is no more to be read, or when
  // the layout is not this program's.
  Result<void> read(std::size_t first, std::size_t count, const SnapshotOptions& options, Snapshot& snapshot);

 private:
  struct Stop {
    UnwindStart start;
    std::uint64_t pc = 0;     // start.pc at link time
    std::uint64_t depth = 0;  // of the stack
    const StackTable::Candidates* candidates = nullptr;
  };
  struct RecentBirth {
    Birth birth;
    std::uint32_t index = 0;
  };

  void sort_out(std::size_t first, std::size_t count, const SnapshotOptions& options, Snapshot& snapshot);
  Result<void> look_closely(const SnapshotOptions& options, std::uint64_t& moving);
  Result<void> check();
  Result<void> read_channels();
  Result<void> read_stacks(const SnapshotOptions& options);
  void recognise_stacks();
  std::uint32_t recognised(std::size_t moved) const;
  void walk_stacks(std::size_t max_frames);
  Result<void> drop_moving(std::uint64_t& count);
  void learn_births();
  std::uint32_t birth_of(const RawGoroutine& g);
  void show(const RawGoroutine& raw, std::size_t slot, std::uint64_t park, const SnapshotOptions& options,
            Snapshot& snapshot);

  KnownGoroutines& known_;
  std::array<bool, 256> leaves_a_trace_{};       // by wait reason: in the g, when it has moved on
  std::array<RecentBirth, 64> recent_births_{};  // by some bits of a hash: a million goroutines have few births

  MergedRead reads_;
  MergedRead stack_reads_;
  ChannelReader channels_;
  std::vector<RawGoroutine> moved_;          // those that are not where the last snapshot saw them
  std::vector<std::size_t> moved_slots_;     // of moved_
  std::vector<std::uint64_t> moved_parks_;   // of moved_
  std::vector<Stop> stops_;                  // of moved_
  std::vector<std::size_t> unknown_stacks_;  // of moved_
};

}  // namespace goleakd::snapshot
