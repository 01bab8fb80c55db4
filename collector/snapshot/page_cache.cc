// SPDX-License-Identifier: Apache-2.0
#include "snapshot/page_cache.h"

namespace goleakd::snapshot {

ByteSpan PageCache::read(std::uint64_t address, std::uint32_t size) {
  const std::uint64_t base = address - address % kPage;
  const bool in_one_page = size <= kPage - address % kPage;
  if (const auto known = pages_.find(base); in_one_page && known != pages_.end()) {
    return slice(known->second, address - base, size);
  }
  if (reads_ >= kMaxReads) return {};
  ++reads_;
  if (in_one_page) {
    if (pages_.size() >= kMaxKept) pages_.clear();
    Page& page = pages_[base];
    if (memory_.read(base, page)) return slice(page, address - base, size);
    pages_.erase(base);
  }
  // Across two pages, or in one of which only a part is mapped.
  apart_.resize(size);
  if (!memory_.read(address, apart_)) return {};
  return apart_;
}

}  // namespace goleakd::snapshot
