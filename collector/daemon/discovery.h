// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "daemon/config.h"
#include "probe/process_events.h"
#include "target/process.h"
#include "target/procfs.h"
#include "verdict/report.h"

namespace goleakd::daemon {

// Finds the Go processes of this host that the configuration selects. A process is what it is until it ends or executes
// another program. Opening one can take a second (its symbols are read): the daemon does it on a thread of its own
// (discovery_worker.h).
class Discovery {
 public:
  struct Change {
    int pid = 0;
    std::shared_ptr<const target::GoProcess> process;  // null: the one that had this pid has ended
    bool unselected = false;  // with process null: it lives on, and is not watched any more, or comes anew
  };

  // `tell` is called with each change as soon as it is known, from within the functions below.
  Discovery(target::Procfs proc, Config::Targets targets, std::function<void(Change)> tell)
      : proc_(std::move(proc)), targets_(std::move(targets)), tell_(std::move(tell)) {}

  // Another selection. Processes for which it makes a difference are told of: those that are selected no longer end,
  // those that are now begin, and those that are called otherwise do both.
  void select(Config::Targets targets, const std::stop_token& stop = {});
  // Looks through /proc: at what is new since the last time, and now and then again at what was no Go program, for it
  // may have loaded a Go library meanwhile.
  void scan(const std::stop_token& stop = {});
  // What the kernel has told, in order. A program that has ended by the end of `events` is counted and not looked at.
  void follow(std::span<const probe::ProcessEvent> events, const std::stop_token& stop = {});
  // Looks again at processes that were in the middle of something.
  void look_again(const std::stop_token& stop = {});

  // Go processes that cannot be watched, with the reason. Only those that are running.
  std::vector<verdict::UnsupportedReport> unsupported() const;
  // What it has done so far. Says nothing of where the events come from.
  verdict::DiscoveryReport counters() const;

 private:
  enum class Kind : std::uint8_t {
    other,        // no Go program, or not selected
    watched,      // told
    unsupported,  // a Go program that cannot be watched
    unreadable,   // may not be looked at: nobody knows
    unclear,      // in the middle of something
  };
  struct Seen {
    target::ProcessIdentity identity;
    Instant looked_at;
    std::string exe;
    Kind kind = Kind::other;
    bool ended = false;  // the kernel has told so; /proc may still show it for a while
    int attempts = 1;
    std::string reason;      // unsupported: why
    std::string error_kind;  // likewise, a word
  };

  // Of programs that do not run at the moment. Those that are started again and again should not be parsed each time.
  static constexpr std::size_t kSpareBinaries = 32U << 20U;

  bool selected(int pid, const std::string& exe) const;
  // As the configuration calls it; empty: as it is called by itself.
  std::string configured_name(const std::string& exe) const;
  bool due(const Seen& seen, Instant now) const;
  // Forgets what had this pid, and looks at what has it now. `forked`: it may not have executed anything yet.
  void look_at(int pid, bool forked);
  void open(int pid, bool forked, Seen& seen);
  void forget(int pid);
  void on_executed(const probe::ProcessEvent& event);
  void on_ended(const probe::ProcessEvent& event);

  target::Procfs proc_;
  Config::Targets targets_;
  std::function<void(Change)> tell_;
  target::BinaryCache binaries_{kSpareBinaries};
  std::map<int, Seen> seen_;
  bool selecting_ = false;  // what ends now does so because of select()
  verdict::DiscoveryReport counters_;
};

// One look at everything that is there now.
struct FoundProcesses {
  std::vector<std::shared_ptr<const target::GoProcess>> processes;
  std::vector<verdict::UnsupportedReport> unsupported;
  std::uint64_t unreadable = 0;  // processes that may not be looked at: Go programs or not
};
FoundProcesses find_processes(const target::Procfs& proc, const Config::Targets& targets);

}  // namespace goleakd::daemon
