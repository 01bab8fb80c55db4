// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "history/resolution.h"
#include "history/view.h"

namespace goleakd::history {

// Samples of one creation site, of several processes and steps, as a row of columns of equal width. Processes that run
// at the same time add up, those that follow one another do not.
class Columns {
 public:
  // From `begin` on until `end`, about `number` of them; `finest`: the step of the finest samples.
  Columns(Seconds begin, Seconds end, std::size_t number, Seconds finest);

  // In the order of step, then start, then process.
  void add(Seconds step, Seconds start, std::uint64_t looks, std::uint64_t total, std::uint64_t most);
  // Those of which there are samples. Nothing can be added after that.
  std::vector<Count> take();

 private:
  // All processes over one step.
  struct Bucket {
    Seconds step = 0;
    Seconds start = 0;
    std::uint64_t looks = 0;
    std::uint64_t most_looks = 0;  // of one process
    std::uint64_t total = 0;
    std::uint64_t most = 0;
  };
  struct Column {
    double weighted = 0;  // means by seconds
    double seconds = 0;   // that samples cover
    std::uint64_t most = 0;
  };
  void spread();

  Seconds begin_;
  Seconds width_ = 1;
  Seconds finest_;
  Bucket bucket_;
  std::vector<Column> columns_;
};

}  // namespace goleakd::history
