// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "base/clock.h"

namespace goleakd::daemon {

// A bar on standard error for work that takes longer than a second; nothing when that is no terminal. Erased when the
// work ends.
class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::size_t done, std::size_t all);

 private:
  std::string what_;
  bool terminal_;
  bool drawn_ = false;
  Instant next_;
};

}  // namespace goleakd::daemon
