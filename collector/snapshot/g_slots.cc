// SPDX-License-Identifier: Apache-2.0
#include "snapshot/g_slots.h"

#include <algorithm>
#include <span>
#include <utility>

#include "snapshot/address_sort.h"
#include "snapshot/goroutine_table.h"

namespace goleakd::snapshot {

// The few that came, among the others with what is known of those. The columns are long enough for all.
void GSlots::sort_in(std::span<const std::uint64_t> fresh) {
  // From the back, so that nothing is overwritten before it has moved.
  for (std::size_t to = size(), add = fresh.size(), old = to - add; add > 0;) {
    --to;
    if (old > 0 && addresses[old - 1] > fresh[add - 1]) {
      --old;
      each_column([&](auto& column) { column[to] = column[old]; });
    } else {
      --add;
      addresses[to] = fresh[add];
      forget(to);
    }
  }
}

Result<void> GSlots::learn(const Memory& memory, std::uint64_t allgs) {
  const std::size_t known = size();
  auto fresh = read_g_addresses(memory, allgs, known);
  if (!fresh) return fail(fresh.error());
  if (fresh->empty()) return {};
  const std::size_t all = known + fresh->size();
  const auto make_room = [&] {
    each_column([&](auto& column) {
      column.reserve(all);  // no more than that: there may be a million
      column.resize(all);
    });
  };
  if (known == 0) {
    addresses = std::move(*fresh);
    make_room();
    // Memory that is needed anyway: to touch more may cost more than the sorting.
    sort_addresses(addresses, identities);
    forget_all();
  } else {
    LargeArray<std::uint64_t> scratch(fresh->size());
    sort_addresses(*fresh, scratch);
    make_room();
    sort_in(*fresh);
  }
  if (std::ranges::adjacent_find(addresses) != addresses.end()) {
    *this = {};  // the next snapshot reads the table anew
    return fail(ErrorKind::invalid, "runtime.allgs holds the same goroutine twice");
  }
  return {};
}

void GSlots::forget_all() { std::ranges::fill(identities, 0); }

}  // namespace goleakd::snapshot
