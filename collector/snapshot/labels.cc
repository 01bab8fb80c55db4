// SPDX-License-Identifier: Apache-2.0
#include "snapshot/labels.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <unordered_map>

#include "snapshot/label_map.h"
#include "snapshot/merged_read.h"

namespace goleakd::snapshot {
namespace {

constexpr int kSliceSince = 24;
constexpr std::size_t kChunk = 1024;              // sets at a time
constexpr std::uint64_t kMaxText = 4096;          // bytes
constexpr std::uint64_t kMaxSet = 64U << 10U;     // bytes of texts; some hundred are usual
constexpr std::uint64_t kMaxTexts = 256U << 20U;  // of all sets

// labelMap{LabelSet{list []label}}.
std::vector<std::vector<RawLabel>> read_slices(const Memory& memory, std::span<const std::uint64_t> addresses) {
  constexpr std::uint32_t kHeader = 3 * sizeof(std::uint64_t);
  MergedRead headers;
  for (const std::uint64_t address : addresses) headers.add(address, kHeader);
  std::vector<std::vector<RawLabel>> found(addresses.size());
  if (!headers.read(memory)) return found;
  MergedRead lists;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const auto data = read_at<std::uint64_t>(headers[i], 0).value_or(0);
    const auto length = read_at<std::uint64_t>(headers[i], sizeof(std::uint64_t)).value_or(0);
    lists.add(data, length <= kMaxLabels ? static_cast<std::uint32_t>(length * sizeof(RawLabel)) : 0);
  }
  if (!lists.read(memory)) return found;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    for (std::uint64_t at = 0; at < lists[i].size(); at += sizeof(RawLabel)) {
      found[i].push_back(*read_at<RawLabel>(lists[i], at));
    }
  }
  return found;
}

// What a set asks to be read; nothing when that is too much.
std::optional<std::uint64_t> bytes_of(const std::vector<RawLabel>& labels) {
  std::uint64_t sum = 0;
  for (const RawLabel& label : labels) {
    if (label.key.length > kMaxText || label.value.length > kMaxText) return std::nullopt;
    sum += label.key.length + label.value.length;
  }
  return sum <= kMaxSet ? std::optional(sum) : std::nullopt;
}

LabelSet with_texts(const MergedRead& texts, std::size_t first, const std::vector<RawLabel>& labels) {
  LabelSet set;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const ByteSpan key = texts[first + 2 * i];
    const ByteSpan value = texts[first + 2 * i + 1];
    if (key.size() != labels[i].key.length || value.size() != labels[i].value.length) return {};
    set.emplace_back(std::string(key.begin(), key.end()), std::string(value.begin(), value.end()));
  }
  std::ranges::sort(set);
  return set;
}

// Takes what it reads from `left`.
std::vector<LabelSet> read_texts(const Memory& memory, std::vector<std::vector<RawLabel>> labels, std::uint64_t& left) {
  MergedRead texts;
  for (auto& set : labels) {
    const auto bytes = bytes_of(set);
    if (!bytes || *bytes > left) {
      set.clear();
      continue;
    }
    left -= *bytes;
    for (const RawLabel& label : set) {
      texts.add(label.key.data, static_cast<std::uint32_t>(label.key.length));
      texts.add(label.value.data, static_cast<std::uint32_t>(label.value.length));
    }
  }
  std::vector<LabelSet> sets(labels.size());
  if (!texts.read(memory)) return sets;
  std::size_t first = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    sets[i] = with_texts(texts, first, labels[i]);
    first += 2 * labels[i].size();
  }
  return sets;
}

}  // namespace

Labels read_labels(const Memory& memory, int minor, std::span<const RawGoroutine> goroutines) {
  Labels labels;
  labels.sets.emplace_back();
  std::vector<std::uint64_t> addresses;
  std::unordered_map<std::uint64_t, std::uint32_t> index{{0, 0}};
  for (const RawGoroutine& g : goroutines) {
    const auto [known, added] = index.try_emplace(g.labels, static_cast<std::uint32_t>(addresses.size() + 1));
    if (added) addresses.push_back(g.labels);
    labels.of.push_back(known->second);
  }
  std::uint64_t left = kMaxTexts;
  for (std::size_t begin = 0; begin < addresses.size(); begin += kChunk) {
    const auto chunk = std::span(addresses).subspan(begin, std::min(kChunk, addresses.size() - begin));
    auto raw = minor >= kSliceSince ? read_slices(memory, chunk) : read_label_maps(memory, chunk);
    std::ranges::move(read_texts(memory, std::move(raw), left), std::back_inserter(labels.sets));
  }
  return labels;
}

}  // namespace goleakd::snapshot
