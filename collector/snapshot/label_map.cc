// SPDX-License-Identifier: Apache-2.0
#include "snapshot/label_map.h"

#include <utility>

#include "base/bytes.h"
#include "snapshot/merged_read.h"

namespace goleakd::snapshot {
namespace {

// runtime.hmap and a bucket of map[string]string (src/runtime/map.go), which Go 1.19 to 1.23 do not differ in. The
// compiler makes the types of buckets, so no debug information has their offsets.
constexpr std::uint64_t kWord = sizeof(std::uint64_t);
constexpr std::uint32_t kHmapSize = 48;
constexpr std::uint64_t kCount = 0;
constexpr std::uint64_t kFlags = 8;
constexpr std::uint64_t kLogBuckets = 9;
constexpr std::uint64_t kBuckets = 16;
constexpr std::uint64_t kOldBuckets = 24;
constexpr std::uint8_t kSameSizeGrow = 8;

constexpr std::uint64_t kCells = 8;
constexpr std::uint64_t kKeys = kCells;  // after a byte of hash for each
constexpr std::uint64_t kValues = kKeys + kCells * sizeof(RawText);
constexpr std::uint64_t kOverflow = kValues + kCells * sizeof(RawText);
constexpr std::uint32_t kBucketSize = kOverflow + kWord;
constexpr std::uint8_t kMinTopHash = 5;  // below: an empty cell, or one that has moved to the new buckets

constexpr unsigned kMaxLogBuckets = 6;  // 100 labels have 4
constexpr int kMaxOverflow = 16;        // buckets in a chain

struct Buckets {
  std::size_t map;  // index
  std::uint64_t address;
  std::uint32_t count;
};

// Adds the cells in use, and where the chains go on.
void take_cells(ByteSpan bytes, std::size_t map, std::vector<RawLabel>& cells, std::vector<Buckets>& overflow) {
  for (std::uint64_t at = 0; at < bytes.size(); at += kBucketSize) {
    const ByteSpan bucket = slice(bytes, at, kBucketSize);
    for (std::uint64_t i = 0; i < kCells; ++i) {
      if (bucket[i] < kMinTopHash || cells.size() > kMaxLabels) continue;
      cells.push_back({.key = *read_at<RawText>(bucket, kKeys + i * sizeof(RawText)),
                       .value = *read_at<RawText>(bucket, kValues + i * sizeof(RawText))});
    }
    const auto next = *read_at<std::uint64_t>(bucket, kOverflow);
    if (next != 0) overflow.push_back({map, next, 1});
  }
}

}  // namespace

std::vector<std::vector<RawLabel>> read_label_maps(const Memory& memory, std::span<const std::uint64_t> addresses) {
  std::vector<std::vector<RawLabel>> found(addresses.size());
  MergedRead read;
  for (const std::uint64_t address : addresses) read.add(address, kWord);
  if (!read.read(memory)) return found;
  MergedRead hmaps;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const std::uint64_t hmap = read_at<std::uint64_t>(read[i], 0).value_or(0);
    hmaps.add(hmap, hmap == 0 ? 0 : kHmapSize);
  }
  if (!hmaps.read(memory)) return found;

  std::vector<std::uint64_t> counts(addresses.size());
  std::vector<Buckets> wanted;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const ByteSpan hmap = hmaps[i];
    const unsigned log_buckets = read_at<std::uint8_t>(hmap, kLogBuckets).value_or(kMaxLogBuckets + 1);
    counts[i] = read_at<std::uint64_t>(hmap, kCount).value_or(0);
    if (counts[i] == 0 || counts[i] > kMaxLabels || log_buckets > kMaxLogBuckets) continue;
    wanted.push_back({i, *read_at<std::uint64_t>(hmap, kBuckets), 1U << log_buckets});
    const auto old = *read_at<std::uint64_t>(hmap, kOldBuckets);
    if (old == 0) continue;
    const bool same_size = (hmap[kFlags] & kSameSizeGrow) != 0 || log_buckets == 0;
    wanted.push_back({i, old, 1U << (same_size ? log_buckets : log_buckets - 1)});
  }
  for (int length = 0; length < kMaxOverflow && !wanted.empty(); ++length) {
    read.clear();
    for (const Buckets& buckets : wanted) read.add(buckets.address, buckets.count * kBucketSize);
    if (!read.read(memory)) break;
    std::vector<Buckets> overflow;
    for (std::size_t i = 0; i < wanted.size(); ++i) take_cells(read[i], wanted[i].map, found[wanted[i].map], overflow);
    wanted = std::move(overflow);
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i].size() != counts[i]) found[i].clear();
  }
  return found;
}

}  // namespace goleakd::snapshot
