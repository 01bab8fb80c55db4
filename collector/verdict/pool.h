// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "base/clock.h"
#include "ledger/ledger.h"

namespace goleakd::verdict {

// A channel that goroutines of one `go` statement were seen to receive from.
struct Queue {
  std::set<ledger::Goid> receivers;  // those of them that still live
  // Received from where a worker waits for its next piece of work: in a range over the channel, or in a select. Any
  // other receive may as well be one that the work itself makes.
  bool for_work = false;
  std::set<const ledger::BlockedPlace*> selects;  // where they did so in a select; owned by the ledger
};

// The goroutines of one `go` statement over time: how many they are, and where they get their work from. Pure.
class Pool {
 public:
  static constexpr std::size_t kQueues = 8;  // channels that are kept; others take the place of those with one receiver

  // One look at its goroutines.
  void observe(const ledger::SiblingsView& view, Instant now);
  // The select in which that goroutine was, at the newest look, receives from these.
  void selects(ledger::Goid goid, std::span<const std::uint64_t> channels);
  void forget(std::uint64_t channel) { queues_.erase(channel); }

  const ledger::CreationSite* site() const { return view_.site; }
  const std::vector<ledger::Sibling>& siblings() const { return view_.all; }
  const std::map<std::uint64_t, Queue>& queues() const { return queues_; }
  // None has come or gone since before then, and each has been in one and the same park or system call, which may
  // last for ever: none sleeps, or waits for its next piece of work.
  bool all_stuck_since(Instant then) const;
  // All of them wait for what only this program can bring about and that no idle worker waits for: to send, for a
  // lock, for a WaitGroup, for nothing.
  bool none_may_be_idle() const;
  // Up to so many goroutines that wait in a select of which it is not known yet what it receives from.
  std::vector<ledger::Goid> unclear(std::size_t most) const;

 private:
  void note(std::uint64_t channel, const ledger::Sibling& sibling, bool for_work);
  bool waits_for_work(const ledger::Sibling& sibling) const;

  ledger::SiblingsView view_;  // of the newest look
  ledger::Goid newest_ = 0;
  Instant steady_since_;  // nobody has come or gone since
  std::map<std::uint64_t, Queue> queues_;
  std::map<const ledger::BlockedPlace*, std::set<ledger::Goid>> clear_;  // who was asked about each select
};

}  // namespace goleakd::verdict
