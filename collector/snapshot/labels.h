// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "snapshot/goroutine_table.h"
#include "snapshot/memory.h"

namespace goleakd::snapshot {

// Key and value, by key.
using LabelSet = std::vector<std::pair<std::string, std::string>>;

// The labels that runtime/pprof has put on goroutines, which hand them on to those that they start.
struct Labels {
  std::vector<LabelSet> sets;     // each once; [0] is empty
  std::vector<std::uint32_t> of;  // as long as the goroutines: index into sets
};

// g.labels, as Go 1.`minor` keeps them: a slice since 1.24, before that a map (src/runtime/pprof/label.go). At most 100
// labels with texts of at most 4 KiB each: a set that breaks this, or can't be read whole, is as none.
Labels read_labels(const Memory& memory, int minor, std::span<const RawGoroutine> goroutines);

}  // namespace goleakd::snapshot
