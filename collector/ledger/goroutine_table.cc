// SPDX-License-Identifier: Apache-2.0
#include "ledger/goroutine_table.h"

#include <algorithm>
#include <bit>
#include <random>
#include <utility>

namespace goleakd::ledger {
namespace {

constexpr std::size_t kMinBuckets = 64;

// The target chooses its goids, and must not be able to choose those that fall into one bucket.
std::uint64_t random_seed() {
  std::random_device random;
  return std::uint64_t{random()} << 32U | random();
}

// Any bits of it are good: the mixer of SplitMix64 (Steele, Lea and Flood 2014).
std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ value >> 30U) * 0xbf58476d1ce4e5b9U;
  value = (value ^ value >> 27U) * 0x94d049bb133111ebU;
  return value ^ value >> 31U;
}

}  // namespace

// Goids that follow each other are met together: sixteen share a cache line, in an order of its own for each line.
std::size_t GoroutineTable::bucket_of(Goid goid) const {
  static const std::uint64_t seed = random_seed();
  constexpr Goid kLine = 64 / sizeof(buckets_[0]);
  return (mixed(goid / kLine ^ seed) ^ goid % kLine) & (buckets_.size() - 1);
}

std::uint32_t GoroutineTable::position_of(Goid goid) const {
  if (size_ == 0) return kNone;
  std::uint32_t position = buckets_[bucket_of(goid)];
  while (position != kNone) {
    const Goroutine& goroutine = record(position);
    if (goroutine.goid == goid) break;
    position = goroutine.next;
  }
  return position;
}

// What leads to a record that is held: its bucket, or the record before it in its list.
std::uint32_t& GoroutineTable::link_to(std::uint32_t position) {
  std::uint32_t* link = &buckets_[bucket_of(record(position).goid)];
  while (*link != position) link = &record(*link).next;
  return *link;
}

Goroutine& GoroutineTable::insert(const Goroutine& goroutine) {
  if (size_ * std::size_t{2} >= buckets_.size()) index_anew(std::max(kMinBuckets, buckets_.size() * 2));
  if (size_ == slabs_.size() * kSlab) slabs_.emplace_back().reserve(kSlab);
  Goroutine& inserted = slabs_[size_ / kSlab].emplace_back(goroutine);
  inserted.next = std::exchange(buckets_[bucket_of(goroutine.goid)], size_);
  ++size_;
  return inserted;
}

// The last record moves into the gap.
void GoroutineTable::erase_at(std::uint32_t position) {
  link_to(position) = record(position).next;
  const std::uint32_t last = size_ - 1;
  if (position != last) {
    link_to(last) = position;
    record(position) = record(last);
  }
  slabs_[last / kSlab].pop_back();
  --size_;
  // One empty slab stays, so that a size that swings about a slab's end costs nothing.
  const std::size_t used = (std::size_t{size_} + kSlab - 1) / kSlab;
  if (slabs_.size() > used + 1) slabs_.pop_back();
  if (buckets_.size() > kMinBuckets && size_ < buckets_.size() / 16) index_anew(buckets_.size() / 4);
}

void GoroutineTable::index_anew(std::size_t buckets) {
  std::vector<std::uint32_t>().swap(buckets_);  // first: never both at once
  buckets_.assign(buckets, kNone);
  for (std::uint32_t position = 0; position < size_; ++position) {
    Goroutine& goroutine = record(position);
    goroutine.next = std::exchange(buckets_[bucket_of(goroutine.goid)], position);
  }
}

std::size_t GoroutineTable::bytes() const {
  return slabs_.size() * kSlab * sizeof(Goroutine) + slabs_.capacity() * sizeof(std::vector<Goroutine>) +
         buckets_.capacity() * sizeof(std::uint32_t);
}

void GoroutineTable::swap(GoroutineTable& other) noexcept {
  slabs_.swap(other.slabs_);
  buckets_.swap(other.buckets_);
  std::swap(size_, other.size_);
}

}  // namespace goleakd::ledger
