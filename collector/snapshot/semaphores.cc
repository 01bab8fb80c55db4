// SPDX-License-Identifier: Apache-2.0
#include "snapshot/semaphores.h"

#include <utility>
#include <vector>

#include "snapshot/sudog.h"

namespace goleakd::snapshot {
namespace {

constexpr std::uint64_t kRoots = 251;          // semTabSize
constexpr std::size_t kMaxSudogs = 4U << 20U;  // of all trees
constexpr std::uint32_t kMaxEntry = 4096;      // bytes; it is a cache line

class Trees {
 public:
  Trees(PageCache& pages, const target::SudogLayout& layout, std::unordered_set<std::uint64_t> sought)
      : pages_(pages), layout_(layout), sought_(std::move(sought)), for_some_(!sought_.empty()) {}

  void walk(std::uint64_t top, std::uint64_t root) {
    std::vector<std::uint64_t> open{top};
    while (!open.empty() && !done()) {
      const std::uint64_t address = open.back();
      open.pop_back();
      const auto node = read(address);
      if (!node || (node->elem >> 3U) % kRoots != root) continue;
      add(node->g, node->elem);
      open.push_back(node->prev);
      open.push_back(node->next);
      walk_list(node->waitlink, node->elem);
    }
  }

  std::unordered_map<std::uint64_t, std::uint64_t> take() { return std::move(waiters_); }

 private:
  void walk_list(std::uint64_t address, std::uint64_t semaphore) {
    for (auto sudog = read(address); sudog && sudog->elem == semaphore && !done(); sudog = read(sudog->waitlink)) {
      add(sudog->g, semaphore);
    }
  }

  void add(std::uint64_t g, std::uint64_t semaphore) {
    waiters_.try_emplace(g, semaphore);
    sought_.erase(g);
  }
  bool done() const { return for_some_ && sought_.empty(); }

  // Each once: trees and lists that lead back into themselves end there.
  std::optional<Sudog> read(std::uint64_t address) {
    if (address == 0 || seen_.size() >= kMaxSudogs || !seen_.insert(address).second) return std::nullopt;
    const ByteSpan bytes = pages_.read(address, layout_.size);
    if (bytes.empty()) return std::nullopt;
    return decode_sudog(bytes, address, layout_);
  }

  PageCache& pages_;
  const target::SudogLayout& layout_;
  std::unordered_set<std::uint64_t> sought_;  // and not found yet
  bool for_some_;
  std::unordered_set<std::uint64_t> seen_;
  std::unordered_map<std::uint64_t, std::uint64_t> waiters_;
};

}  // namespace

std::unordered_map<std::uint64_t, std::uint64_t> read_semaphore_waiters(const Memory& memory, PageCache& pages,
                                                                        const target::Layout& layout,
                                                                        std::uint64_t semtable,
                                                                        std::unordered_set<std::uint64_t> sought) {
  const std::uint32_t entry = layout.sema_root.table_entry;
  if (entry > kMaxEntry) return {};
  std::vector<std::uint8_t> table(kRoots * entry);
  if (!memory.read(semtable, table)) return {};
  Trees trees(pages, layout.sudog, std::move(sought));
  for (std::uint64_t root = 0; root < kRoots; ++root) {
    trees.walk(read_at<std::uint64_t>(table, root * entry + layout.sema_root.treap).value_or(0), root);
  }
  return trees.take();
}

}  // namespace goleakd::snapshot
