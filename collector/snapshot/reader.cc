// SPDX-License-Identifier: Apache-2.0
#include "snapshot/reader.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "snapshot/chunk_reader.h"
#include "snapshot/known_goroutines.h"

namespace goleakd::snapshot {
namespace {

constexpr std::size_t kMaxAlive = 2'000'000;  // as many as a ledger holds

// A walk over all slots by one thread, or by two that begin at either end: so they are not in each other's way, and end
// together.
struct Walk {
  const SnapshotOptions& options;
  std::size_t all;
  std::atomic<std::size_t> taken = 0;  // chunks
  std::atomic<std::size_t> alive = 0;
  std::atomic<bool> given_up = false;

  enum class From : std::uint8_t { begin, end };
  // `tell` is called before each chunk with the number of slots that were read, and returns false to give up.
  template <typename Tell>
  Result<void> go(From from, ChunkReader& reader, Snapshot& part, const Tell& tell) {
    const std::size_t chunks = (all + ChunkReader::kChunk - 1) / ChunkReader::kChunk;
    for (std::size_t mine = 0;; ++mine) {
      const std::size_t before_me = taken++;
      if (before_me >= chunks || given_up) return {};
      const std::size_t at = (from == From::begin ? mine : chunks - 1 - mine) * ChunkReader::kChunk;
      if (!tell(before_me * ChunkReader::kChunk))
        return give_up(Error(ErrorKind::gone, "reading the goroutines was given up"));
      const std::size_t before = part.goroutines.size();
      if (auto ok = reader.read(at, std::min(ChunkReader::kChunk, all - at), options, part); !ok) {
        return give_up(ok.error());
      }
      const std::size_t more = part.goroutines.size() - before;
      if (alive.fetch_add(more) + more > kMaxAlive) {
        return give_up(
            Error(ErrorKind::unsupported, "more than " + std::to_string(kMaxAlive) + " goroutines: too many to hold"));
      }
    }
  }

 private:
  Result<void> give_up(Error why) {
    given_up = true;
    return fail(std::move(why));
  }
};

// For all, though two threads share them: nobody knows how evenly, and what is not filled takes no memory, while to
// grow takes it twice.
void make_room(Snapshot& snapshot, std::size_t count, const SnapshotOptions& options) {
  snapshot.goroutines.reserve(std::min(count, kMaxAlive));
  if (options.raw) snapshot.raw.reserve(std::min(count, kMaxAlive));
}

void append(Snapshot& all, Snapshot&& part) {
  all.goroutines.append(std::move(part.goroutines));
  all.raw.insert(all.raw.end(), part.raw.begin(), part.raw.end());
  all.picked.insert(all.picked.end(), part.picked.begin(), part.picked.end());
  all.implausible += part.implausible;
  all.moved += part.moved;
  all.reused += part.reused;
  all.helpers_cpu += part.helpers_cpu;
}

}  // namespace

struct Reader::State {
  State(std::shared_ptr<const target::GoProcess> process, const Memory& memory)
      : known(std::move(process), memory), own(known) {}

  Result<void> walk(const SnapshotOptions& options, Snapshot& snapshot);

  KnownGoroutines known;
  ChunkReader own;
  std::optional<ChunkReader> helper;  // from the first time on that it is needed
};

Result<void> Reader::State::walk(const SnapshotOptions& options, Snapshot& snapshot) {
  Walk walk{.options = options, .all = known.slots.size()};
  const auto tell = [&](std::size_t done) { return !options.progress || options.progress(done, walk.all); };
  const bool help = walk.all >= options.help_from && std::thread::hardware_concurrency() > 1;
  make_room(snapshot, walk.all, options);
  if (!help) return walk.go(Walk::From::begin, own, snapshot, tell);

  if (!helper) helper.emplace(known);
  Snapshot part;
  auto helped = std::async(std::launch::async, [&] {
    const Duration cpu = thread_cpu();
    make_room(part, walk.all, options);
    auto ok = walk.go(Walk::From::end, *helper, part, [](std::size_t) { return true; });
    part.helpers_cpu = thread_cpu() - cpu;
    return ok;
  });
  auto ok = walk.go(Walk::From::begin, own, snapshot, tell);
  auto helpers = helped.get();
  if (!ok || !helpers) return ok ? helpers : ok;
  append(snapshot, std::move(part));
  return {};
}

Reader::Reader(std::shared_ptr<const target::GoProcess> process, const Memory& memory)
    : state_(std::make_unique<State>(std::move(process), memory)) {}
Reader::~Reader() = default;

Result<Snapshot> Reader::take(const SnapshotOptions& options) {
  KnownGoroutines& known = state_->known;
  const target::GoBinary& binary = *known.process->binary;
  Snapshot snapshot;
  snapshot.begin = MonotonicClock::now();
  if (auto ok = known.slots.learn(known.memory, known.process->runtime_address(binary.globals().allgs)); !ok) {
    return fail(ok.error());
  }
  if (known.stacks.full()) {
    known.stacks.reset();
    known.slots.forget_all();
  }
  if (auto ok = state_->walk(options, snapshot); !ok) return fail(ok.error());
  // A moving program may show a torn struct now and then. Where they are many, the offsets are not this program's.
  const std::size_t alive = snapshot.goroutines.size();
  if (alive == 0 || snapshot.implausible > 2 + alive / 20) {
    return fail(ErrorKind::invalid,
                std::to_string(snapshot.implausible) + " of " + std::to_string(snapshot.implausible + alive) +
                    " goroutines have impossible contents: the runtime's layout is not the one of " +
                    binary.build_info().version.text);
  }
  snapshot.stacks = known.stacks.stacks();
  snapshot.births = known.births.births();
  snapshot.end = MonotonicClock::now();
  return snapshot;
}

}  // namespace goleakd::snapshot
