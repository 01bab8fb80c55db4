// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "ledger/ledger.h"
#include "verdict/leak.h"

namespace goleakd::verdict {

// A goroutine that stands still, and still uses a context that has ended.
struct ContextLook {
  ledger::Goid goid = 0;
  bool deadline = false;  // it has passed its deadline; else it was cancelled
  ledger::Frame frame;    // that uses it, where it goes on
};

// Evidence *cancelled*, of one process: its inputs are the ledger after each snapshot, and looks at goroutines that it
// asks for. Goroutines count that were seen to use a context that has ended, and have stayed in the same park, or
// system call, since. Short clean-up after the end is no fault: so they do only when `after` has passed since that
// look. Nothing is said of processes with more than kMaxGoroutines. Pure.
class Cancellations {
 public:
  static constexpr std::size_t kMaxGoroutines = 200'000;  // each look at what rests is a pass over all of them
  static constexpr std::size_t kMaxKnown = 4096;

  explicit Cancellations(Duration after) : after_(after) {}
  void change(Duration after) { after_ = after; }

  // Up to so many goroutines that have rested for `after` at least, and of whom it is not known; the next call goes on
  // with others.
  std::vector<ledger::Goid> unclear(const ledger::Ledger& ledger, Instant now, std::size_t most);
  // What a look that began then has shown of those: the ones with a context that has ended.
  void looked(std::span<const ContextLook> looks, Instant at);
  // After each snapshot: forgets those who have moved.
  void observe(const ledger::Ledger& ledger);

  // Of those now, by leak id.
  std::map<std::string, Cancelled> by_leak(std::string_view service, const ledger::Ledger& ledger, Instant now) const;

  // The last look; nothing until there was one.
  std::optional<Instant> last_run() const { return looked_; }

 private:
  struct Known {
    ContextLook look;
    Instant at;
  };

  Duration after_;
  std::map<ledger::Goid, Known> known_;
  ledger::Goid asked_ = 0;  // the last that unclear() has named
  std::optional<Instant> looked_;
};

}  // namespace goleakd::verdict
