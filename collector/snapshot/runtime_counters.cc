// SPDX-License-Identifier: Apache-2.0
#include "snapshot/runtime_counters.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <vector>

#include "base/rate.h"
#include "snapshot/go_words.h"

namespace goleakd::snapshot {
namespace {

constexpr std::uint64_t kMaxProcs = 8192;           // a GOMAXPROCS that somebody may have set
constexpr std::uint64_t kGoidBatch = 16;            // _GoidCacheBatch, src/runtime/proc.go
constexpr std::uint64_t kMaxGoid = 1ULL << 56U;     // as in goroutine_table.cc
constexpr std::uint64_t kTrackingPeriod = 8;        // gTrackingPeriod, src/runtime/runtime2.go
constexpr std::uint64_t kMaxHistogram = 16U << 10;  // bytes; it had 5,768 before Go 1.20
constexpr std::uint64_t kMaxCount = 1ULL << 48U;    // of one bucket: years of millions a second
constexpr int kTries = 3;

template <typename T>
std::span<std::uint8_t> bytes_of(T& value) {
  return {reinterpret_cast<std::uint8_t*>(&value), sizeof(T)};
}

tl::unexpected<Error> lie(const std::string& what) { return fail(ErrorKind::invalid, what); }

// What changes when Ps come and go, or take ids.
struct Totals {
  std::uint64_t goidgen = 0;
  std::uint64_t created = 0;
  SliceHeader allp;
};

// The fields of one runtime.p.
struct Proc {
  std::uint32_t id = 0;
  std::uint64_t goidcache = 0;
  std::uint64_t goidcacheend = 0;
  std::uint64_t created = 0;
};

// Counters are spread over sched and the Ps. All are read in one call, and sched first and again at the end: the kernel
// goes through the ranges in order, so what has not changed in between was so while the Ps were read.
class SpawnCount {
 public:
  SpawnCount(const target::GoProcess& process, const Memory& memory)
      : memory_(memory),
        layout_(process.binary->layout()),
        exact_(process.binary->layout_origin() != target::LayoutOrigin::nearest &&
               target::present(layout_.sched.goroutines_created) && target::present(layout_.p.goroutines_created)),
        allp_(process.runtime_address(process.binary->globals().allp)),
        sched_(process.runtime_address(process.binary->globals().sched)) {}

  // Ps that come or go make a reading worthless, sometimes with an array in it that is freed already: it is repeated.
  Result<std::uint64_t> read() const {
    for (int left = kTries - 1;; --left) {
      const auto look = look_once();
      if (look && (look->steady || left == 0)) return look->spawned;
      if (!look && (look.error().kind() != ErrorKind::invalid || left == 0)) return fail(look.error());
    }
  }

 private:
  struct Look {
    std::uint64_t spawned = 0;
    bool steady = false;  // else of two moments
  };

  Result<Look> look_once() const {
    const auto addresses = p_addresses();
    if (!addresses) return fail(addresses.error());
    Totals before;
    Totals after;
    std::vector<Proc> procs(addresses->size());
    if (auto ok = read_all(*addresses, before, procs, after); !ok) return fail(ok.error());
    if (after.goidgen > kMaxGoid) return lie("sched.goidgen is " + std::to_string(after.goidgen));
    for (std::size_t i = 0; i < procs.size(); ++i) {
      if ((*addresses)[i] == 0 || procs[i].id == i) continue;
      return lie("runtime.allp: P " + std::to_string(i) + " says that it is P " + std::to_string(procs[i].id));
    }
    const auto spawned = exact_ ? counted(before, procs, after) : from_ids(procs, after);
    if (!spawned) return fail(spawned.error());
    const bool same_procs = before.allp == after.allp;
    return Look{.spawned = *spawned,
                .steady = same_procs && (exact_ ? before.created == after.created : before.goidgen == after.goidgen)};
  }

  // Of all Ps that ever were, 0 for none. procresize keeps those that are no more beyond the slice's length, with the
  // ids that they had left.
  Result<std::vector<std::uint64_t>> p_addresses() const {
    const auto header = memory_.value<SliceHeader>(allp_);
    if (!header) return fail(header.error().within("runtime.allp"));
    if (!header->plausible(kMaxProcs) || header->capacity > kMaxProcs || !is_pointer(header->data)) {
      return lie("runtime.allp is no slice of Ps (length " + std::to_string(header->length) + ", capacity " +
                 std::to_string(header->capacity) + ")");
    }
    std::vector<std::uint64_t> addresses(header->capacity);
    auto into = std::span(reinterpret_cast<std::uint8_t*>(addresses.data()), addresses.size() * sizeof(addresses[0]));
    if (auto ok = memory_.read(header->data, into); !ok) return fail(ok.error().within("runtime.allp"));
    if (!is_pointer(addresses[0]) ||
        !std::ranges::all_of(addresses, [](std::uint64_t word) { return word == 0 || is_pointer(word); })) {
      return lie("runtime.allp holds words that are no pointers");
    }
    return addresses;
  }

  Result<void> read_all(std::span<const std::uint64_t> addresses, Totals& before, std::span<Proc> procs,
                        Totals& after) const {
    std::vector<ReadRequest> requests;
    const auto add = [&](std::uint64_t address, auto& into) {
      requests.push_back({.address = address, .into = bytes_of(into), .done = false});
    };
    const auto add_totals = [&](Totals& totals) {
      add(sched_ + layout_.sched.goidgen, totals.goidgen);
      if (exact_) add(sched_ + layout_.sched.goroutines_created, totals.created);
      add(allp_, totals.allp);
    };
    add_totals(before);
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      if (addresses[i] == 0) continue;
      add(addresses[i] + layout_.p.id, procs[i].id);
      if (exact_) {
        add(addresses[i] + layout_.p.goroutines_created, procs[i].created);
      } else {  // in the other order than they are written in: never an old beginning and a new end
        add(addresses[i] + layout_.p.goidcacheend, procs[i].goidcacheend);
        add(addresses[i] + layout_.p.goidcache, procs[i].goidcache);
      }
    }
    add_totals(after);
    if (auto ok = memory_.read(requests); !ok) return ok;
    if (std::ranges::all_of(requests, &ReadRequest::done)) return {};
    return lie("runtime.sched, runtime.allp or one of its Ps leads nowhere");
  }

  // Each goroutine was given an id first, so there can't be more of them than ids: sched.goidgen is read last.
  static Result<std::uint64_t> counted(const Totals& before, std::span<const Proc> procs, const Totals& after) {
    std::uint64_t sum = before.created;
    for (const Proc& p : procs) {
      if (sum > after.goidgen || p.created > after.goidgen - sum) {
        return lie("sched.goroutinesCreated and those of the Ps exceed sched.goidgen");
      }
      sum += p.created;
    }
    return sum;
  }

  static Result<std::uint64_t> from_ids(std::span<const Proc> procs, const Totals& after) {
    std::uint64_t spawned = after.goidgen;
    for (const Proc& p : procs) {
      // Of new ids newproc1 writes the next one first: until it writes the end as well, which takes as long as its
      // thread is interrupted there, the P seems to be past its end, and has none left.
      const std::uint64_t unused = p.goidcacheend > p.goidcache ? p.goidcacheend - p.goidcache : 0;
      if (std::max(p.goidcache, p.goidcacheend) > after.goidgen + 1 || unused > std::min(kGoidBatch, spawned)) {
        return lie("p.goidcache of P " + std::to_string(p.id) + " holds ids that sched.goidgen can't have given");
      }
      spawned -= unused;
    }
    return spawned;
  }

  const Memory& memory_;
  const target::Layout& layout_;
  bool exact_;  // counts of goroutines, not of ids
  std::uint64_t allp_;
  std::uint64_t sched_;
};

// All of the histogram's words are counts: its buckets, underflow and overflow.
Result<std::uint64_t> read_scheduled(const Memory& memory, std::uint64_t time_to_run, std::uint64_t size) {
  if (size == 0 || size > kMaxHistogram || size % sizeof(std::uint64_t) != 0) {
    return lie("runtime.timeHistogram has " + std::to_string(size) + " bytes");
  }
  std::vector<std::uint64_t> counts(size / sizeof(std::uint64_t));
  if (auto ok = memory.read(time_to_run, std::span(reinterpret_cast<std::uint8_t*>(counts.data()), size)); !ok) {
    return fail(ok.error().within("sched.timeToRun"));
  }
  std::uint64_t sum = 0;
  for (const std::uint64_t count : counts) {
    if (count > kMaxCount) return lie("sched.timeToRun holds words that are no counts");
    sum += count;
  }
  return sum * kTrackingPeriod;
}

}  // namespace

Result<RuntimeCounters> read_runtime_counters(const target::GoProcess& process, const Memory& memory) {
  const target::GoBinary& binary = *process.binary;
  const target::Layout& layout = binary.layout();
  RuntimeCounters counters;
  counters.at = MonotonicClock::now();
  if (binary.globals().sched == 0) return counters;
  // Ps are recognised by their ids, and what they hold by sched's. A histogram proves nothing of itself.
  if (target::present(layout.sched.time_to_run) && binary.layout_origin() != target::LayoutOrigin::nearest) {
    const auto scheduled = read_scheduled(
        memory, process.runtime_address(binary.globals().sched) + layout.sched.time_to_run, layout.time_histogram.size);
    if (!scheduled) return fail(scheduled.error());
    counters.scheduled = *scheduled;
  }
  if (binary.globals().allp != 0) {
    const auto spawned = SpawnCount(process, memory).read();
    if (!spawned) return fail(spawned.error());
    counters.spawned = *spawned;
  }
  return counters;
}

Rates rates_between(const RuntimeCounters& earlier, const RuntimeCounters& later) {
  const Duration elapsed = later.at - earlier.at;
  return {.spawns_per_s = rate(earlier.spawned, later.spawned, elapsed),
          .switches_per_s = rate(earlier.scheduled, later.scheduled, elapsed)};
}

}  // namespace goleakd::snapshot
