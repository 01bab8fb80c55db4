// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace goleakd::probe {

// Of the stack that a probe has copied, innermost first. The kernel's list begins with the probe's own address; where
// it knows that a function's frame is not there yet (Linux 6.12 on), the return address comes next, which is `caller`
// where that is known; 0: it is not.
inline std::vector<std::uint64_t> return_addresses(std::uint64_t caller, std::span<const std::uint64_t> pcs) {
  std::vector<std::uint64_t> addresses;
  if (caller != 0) addresses.push_back(caller);
  for (std::size_t i = 1; i < pcs.size(); ++i) {
    if (i > 1 || pcs[i] != caller) addresses.push_back(pcs[i]);
  }
  return addresses;
}

}  // namespace goleakd::probe
