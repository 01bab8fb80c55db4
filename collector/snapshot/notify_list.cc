// SPDX-License-Identifier: Apache-2.0
#include "snapshot/notify_list.h"

#include <bit>
#include <unordered_map>
#include <unordered_set>

#include "snapshot/page_cache.h"
#include "snapshot/sudog.h"

namespace goleakd::snapshot {
namespace {

constexpr std::size_t kMaxSudogs = 4U << 20U;  // of all lists that are walked

class Lists {
 public:
  Lists(const Memory& memory, const target::Layout& layout) : pages_(memory), layout_(layout) {}

  bool holds(std::uint64_t address, ByteSpan bytes, std::uint64_t g) {
    if (walked_.insert(address).second) walk(address, bytes);
    const auto found = list_of_.find(g);
    return found != list_of_.end() && found->second == address;
  }

 private:
  void walk(std::uint64_t address, ByteSpan bytes) {
    const auto waiters = decode_notify_list(bytes, layout_.notify_list);
    const auto head = read_at<std::uint64_t>(bytes, layout_.notify_list.head);
    const auto tail = read_at<std::uint64_t>(bytes, layout_.notify_list.tail);
    if (!waiters || !head || !tail || *head == 0) return;
    std::vector<std::uint64_t> members;
    std::uint64_t last = 0;
    std::uint64_t passed = 0;  // a circle comes back to it: each power of two steps it is set anew
    for (std::uint64_t at = *head; at != 0;) {
      if (at == passed || members.size() == *waiters || ++steps_ > kMaxSudogs) return;
      if (std::has_single_bit(members.size() + 1)) passed = at;
      const ByteSpan sudog = pages_.read(at, layout_.sudog.size);
      if (sudog.empty()) return;
      const Sudog decoded = decode_sudog(sudog, at, layout_.sudog);
      if (decoded.c != 0) return;  // waits on a channel
      members.push_back(decoded.g);
      last = at;
      at = decoded.next;
    }
    if (last != *tail) return;
    for (const std::uint64_t g : members) list_of_.try_emplace(g, address);
  }

  PageCache pages_;
  const target::Layout& layout_;
  std::size_t steps_ = 0;
  std::unordered_set<std::uint64_t> walked_;
  std::unordered_map<std::uint64_t, std::uint64_t> list_of_;  // by g: the notifyList that it is in
};

}  // namespace

std::optional<std::uint32_t> decode_notify_list(ByteSpan bytes, const target::NotifyListLayout& layout) {
  const auto given = read_at<std::uint32_t>(bytes, layout.wait);
  const auto called = read_at<std::uint32_t>(bytes, layout.notify);
  if (!given || !called) return std::nullopt;
  return *given - *called;  // both wrap around
}

std::vector<std::uint64_t> find_conds(const Memory& memory, const target::Layout& layout,
                                      std::span<const Sought> waiting) {
  Lists lists(memory, layout);
  const std::uint32_t notify = layout.cond.notify;
  const IsTheObject is_cond = [&](const RawGoroutine& g, std::uint64_t address, ByteSpan bytes) {
    return lists.holds(address + notify, slice(bytes, notify), g.address);
  };
  return find_frame_pointers(memory, waiting, notify + layout.notify_list.size, is_cond);
}

}  // namespace goleakd::snapshot
