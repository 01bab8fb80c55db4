// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/large_array.h"

namespace goleakd::snapshot {

// Sorts addresses of structs, multiples of 8, by their digits: the same time in whatever order they come, a third of
// what comparing them takes. `scratch` is as long, and holds anything afterwards.
void sort_addresses(LargeArray<std::uint64_t>& addresses, LargeArray<std::uint64_t>& scratch);

}  // namespace goleakd::snapshot
