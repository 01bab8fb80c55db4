// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "ledger/ledger.h"
#include "verdict/pool.h"

namespace goleakd::verdict {

// What a channel held when its memory was looked at, whether or not anybody waits on it.
struct ChannelLook {
  std::uint64_t address = 0;
  std::uint64_t length = 0;
  std::uint64_t capacity = 0;
  std::uint64_t receive_index = 0;  // of the buffer's slots; moves on with each receive from the buffer
  std::string element;              // the name of its elements' type; empty: not known
  bool closed = false;
  bool receivers = false;  // somebody waits to receive, selects included
};

// A pool that has stopped while work waits for it.
struct Stall {
  std::uint64_t goroutines = 0;  // all that the `go` statement has started, and that still live
  std::uint64_t capacity = 0;    // of the queue
  bool full = false;             // its buffer is, and has not moved
  std::uint64_t senders = 0;     // that have been stuck at the queue for as long
  Duration still{};              // since when nothing has moved, at least
};

// Evidence *stalled*, of one process: its inputs are the ledger after each snapshot, and looks at the channels that it
// asks for. A pool has stalled when, for `after` at least,
//   - it had two goroutines or more, always the same ones, and each stayed in one park, or system call, that may last:
//     none slept, waited for a timer's channel, or waited for work (in a range over a channel, or in a select that
//     receives from a channel that two of them receive from, and that is not made to end them: unbuffered, of
//     struct {});
//   - a channel that two of them or more were seen to receive from had work waiting: its buffer was full and did not
//     move, or goroutines were stuck in a send to it; it is open, nobody waits to receive from it, and whoever else
//     was seen to receive from it is stuck likewise;
//   - they were seen to receive from it where workers wait for work; else all of them must be stuck where no idle
//     worker is: in a send, for a lock, for a WaitGroup.
// So silence is no proof: a pool that was never seen to wait for work, or has more than kMostSiblings goroutines, is
// not judged.
class Stalls {
 public:
  static constexpr std::size_t kMostSiblings = 1024;
  static constexpr std::size_t kMostChannels = 256;  // looked at each time
  static constexpr std::size_t kFewest = 2;          // goroutines that make a pool, receivers that make a queue

  explicit Stalls(Duration after) : after_(after) {}
  void change(Duration after) { after_ = after; }

  // What channels() were found to hold at that time; one that is missing could not be read.
  void looked(std::span<const ChannelLook> looks, Instant at);
  // After each snapshot.
  void observe(const ledger::Ledger& ledger, Instant now);

  // Whose contents matter.
  std::vector<std::uint64_t> channels() const;
  // Up to so many goroutines of whose select it matters which channels it receives from; the next call goes on with the
  // next pools. Tell selects(), of those that have not moved since the newest observe(): address, capacity and element
  // of each.
  std::vector<ledger::Goid> unclear(std::size_t most);
  void selects(ledger::Goid goid, std::span<const ChannelLook> received_from);

  // By the `go` statement, which the ledger owns. Of the newest observe().
  const std::map<const ledger::CreationSite*, Stall>& stalled() const { return stalled_; }

 private:
  struct Held {
    ChannelLook look;
    Instant still_since;  // the first look that showed the same, of those that followed one another
  };

  const Held* held(std::uint64_t channel) const;
  bool is_timer(std::uint64_t channel) const;
  bool may_judge(const Pool& pool, Instant since) const;
  bool is_starved(std::uint64_t channel, const std::map<std::uint64_t, std::vector<const Pool*>>& consumers,
                  Instant since) const;
  void judge(const ledger::Ledger& ledger, Instant now);

  Duration after_;
  std::map<ledger::CreationId, Pool> pools_;
  ledger::CreationId asked_{};          // the last pool that unclear() has come to
  std::map<std::uint64_t, Held> held_;  // by address
  std::map<const ledger::CreationSite*, Stall> stalled_;
};

}  // namespace goleakd::verdict
