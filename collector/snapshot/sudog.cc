// SPDX-License-Identifier: Apache-2.0
#include "snapshot/sudog.h"

#include <algorithm>
#include <utility>

#include "snapshot/read_each.h"

namespace goleakd::snapshot {
namespace {

constexpr std::uint32_t kMaxCases = 65536;     // of a select (src/runtime/select.go)
constexpr std::size_t kMaxSudogs = 4U << 20U;  // of all selects, besides one for each goroutine

struct Cursor {
  std::uint32_t goroutine;
  std::uint32_t cases;
};

}  // namespace

Sudog decode_sudog(ByteSpan bytes, std::uint64_t address, const target::SudogLayout& layout) {
  const auto word = [&](std::uint32_t offset) { return read_at<std::uint64_t>(bytes, offset).value_or(0); };
  return {.address = address,
          .g = word(layout.g),
          .next = word(layout.next),
          .prev = word(layout.prev),
          .elem = word(layout.elem),
          .waitlink = word(layout.waitlink),
          .c = word(layout.c),
          .is_select = read_at<std::uint8_t>(bytes, layout.is_select).value_or(0) != 0};
}

std::vector<WaitingSudog> read_waiting_sudogs(const Memory& memory, const target::SudogLayout& layout,
                                              std::span<const RawGoroutine> goroutines,
                                              const std::vector<bool>& wanted) {
  std::vector<WaitingSudog> found;
  std::vector<Cursor> cursors;
  std::vector<std::uint64_t> addresses;
  for (std::size_t i = 0; i < goroutines.size(); ++i) {
    if (!wanted[i] || goroutines[i].waiting == 0) continue;
    cursors.push_back({static_cast<std::uint32_t>(i), 1});
    addresses.push_back(goroutines[i].waiting);
  }
  std::vector<bool> broken(goroutines.size());
  while (!cursors.empty()) {
    std::vector<Cursor> on;
    std::vector<std::uint64_t> next;
    std::vector<bool> seen(cursors.size());
    read_each(memory, addresses, layout.size, [&](std::size_t i, ByteSpan bytes) {
      const Cursor& cursor = cursors[i];
      const RawGoroutine& g = goroutines[cursor.goroutine];
      const Sudog sudog = decode_sudog(bytes, addresses[i], layout);
      if (sudog.g != g.address) return;
      seen[i] = true;
      found.push_back({cursor.goroutine, sudog});
      if (!sudog.is_select || sudog.waitlink == 0) return;
      if (cursor.cases == kMaxCases || sudog.waitlink == g.waiting || found.size() > kMaxSudogs + goroutines.size()) {
        broken[cursor.goroutine] = true;
        return;
      }
      on.push_back({cursor.goroutine, cursor.cases + 1});
      next.push_back(sudog.waitlink);
    });
    for (std::size_t i = 0; i < cursors.size(); ++i) {
      if (!seen[i]) broken[cursors[i].goroutine] = true;
    }
    cursors = std::move(on);
    addresses = std::move(next);
  }
  std::erase_if(found, [&](const WaitingSudog& sudog) { return broken[sudog.goroutine]; });
  std::ranges::stable_sort(found, {}, &WaitingSudog::goroutine);
  return found;
}

}  // namespace goleakd::snapshot
