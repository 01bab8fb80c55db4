// SPDX-License-Identifier: Apache-2.0
#include "daemon/discovery.h"

#include <unistd.h>

#include <algorithm>
#include <exception>
#include <set>
#include <unordered_map>
#include <utility>

namespace goleakd::daemon {
namespace {

using probe::ProcessEvent;

// How often a process that was in the middle of something is looked at before only scans do.
constexpr int kAttempts = 5;
// A fork lasts until its exec, a moment. Whoever looks like one for longer is taken for what it seems.
constexpr int kForkAttempts = 3;
// How long what was no Go program is taken for none, unseen.
constexpr Duration kLookAgainAfter = std::chrono::seconds(30);

// What no bound has foreseen (memory, above all) must not take the other targets along.
Result<target::GoProcess> open_process(const target::Procfs& proc, target::BinaryCache& binaries, int pid,
                                       const std::string& host_root) {
  try {
    return target::GoProcess::open(proc, binaries, pid, host_root);
  } catch (const std::exception& e) {
    return fail(ErrorKind::system, "looking at process " + std::to_string(pid) + ": " + e.what());
  }
}

}  // namespace

bool Discovery::selected(int pid, const std::string& exe) const {
  if (pid == ::getpid()) return false;
  if (!targets_.pids.empty() && std::ranges::find(targets_.pids, pid) == targets_.pids.end()) return false;
  return (targets_.include.empty() || matches_any(targets_.include, exe)) && !matches_any(targets_.exclude, exe);
}

std::string Discovery::configured_name(const std::string& exe) const {
  const auto rule =
      std::ranges::find_if(targets_.services, [&](const ServiceRule& r) { return matches_any({r.exe}, exe); });
  return rule == targets_.services.end() ? std::string() : rule->name;
}

bool Discovery::due(const Seen& seen, Instant now) const {
  if (seen.ended) return false;
  return seen.kind == Kind::unclear || (seen.kind == Kind::other && now - seen.looked_at >= kLookAgainAfter);
}

void Discovery::select(Config::Targets targets, const std::stop_token& stop) {
  const auto as_selected = [this](int pid, const std::string& exe) {
    return std::pair(selected(pid, exe), configured_name(exe));
  };
  std::map<int, std::pair<bool, std::string>> before;
  for (const auto& [pid, seen] : seen_) {
    if (seen.kind != Kind::unreadable && !seen.ended) before[pid] = as_selected(pid, seen.exe);
  }
  targets_ = std::move(targets);
  selecting_ = true;
  for (const auto& [pid, was] : before) {
    if (stop.stop_requested()) break;
    if (as_selected(pid, seen_.at(pid).exe) != was) look_at(pid, true);
  }
  selecting_ = false;
}

void Discovery::scan(const std::stop_token& stop) {
  ++counters_.scans;
  const std::vector<int> pids = targets_.pids.empty() ? proc_.pids() : targets_.pids;
  for (const int pid : pids) {
    if (stop.stop_requested()) return;
    const auto known = seen_.find(pid);
    if (known == seen_.end()) {
      look_at(pid, true);
      continue;
    }
    const auto identity = proc_.identity(pid);
    if (!identity) {
      forget(pid);
    } else if (*identity != known->second.identity || due(known->second, MonotonicClock::now())) {
      look_at(pid, true);
    }
  }
  const std::set<int> running(pids.begin(), pids.end());
  std::vector<int> ended;
  for (const auto& [pid, seen] : seen_) {
    if (!running.contains(pid)) ended.push_back(pid);
  }
  for (const int pid : ended) forget(pid);
}

void Discovery::look_again(const std::stop_token& stop) {
  std::vector<int> unclear;
  for (const auto& [pid, seen] : seen_) {
    if (seen.kind == Kind::unclear && seen.attempts < kAttempts) unclear.push_back(pid);
  }
  for (const int pid : unclear) {
    if (stop.stop_requested()) return;
    look_at(pid, true);
  }
}

void Discovery::follow(std::span<const ProcessEvent> events, const std::stop_token& stop) {
  std::unordered_map<int, std::size_t> last_end;  // by pid: where in `events`
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (events[i].kind == ProcessEvent::Kind::ended) last_end[events[i].pid] = i;
  }
  for (std::size_t i = 0; i < events.size() && !stop.stop_requested(); ++i) {
    const ProcessEvent& event = events[i];
    if (event.kind == ProcessEvent::Kind::ended) {
      on_ended(event);
      continue;
    }
    ++counters_.executed;
    const auto end = last_end.find(event.pid);
    if (end != last_end.end() && end->second > i && events[end->second].start_ticks == event.start_ticks) {
      ++counters_.too_short;
      forget(event.pid);
    } else {
      on_executed(event);
    }
  }
}

void Discovery::on_executed(const ProcessEvent& event) {
  const auto known = seen_.find(event.pid);
  // A scan may have seen this program before its event came.
  if (known != seen_.end() && event.at <= known->second.looked_at) {
    const auto identity = proc_.identity(event.pid);
    if (identity && *identity == known->second.identity && known->second.kind != Kind::unclear) return;
  }
  look_at(event.pid, false);
  if (!seen_.contains(event.pid)) ++counters_.too_short;
}

void Discovery::on_ended(const ProcessEvent& event) {
  const auto known = seen_.find(event.pid);
  if (known == seen_.end() || known->second.ended) return;
  if (event.start_ticks != known->second.identity.start_ticks) {
    // The one that had this pid before; or this one, if goleakd counts time otherwise (a time namespace).
    const auto identity = proc_.identity(event.pid);
    if (identity && *identity == known->second.identity) return;
  }
  switch (known->second.kind) {
    case Kind::watched:
      tell_({.pid = event.pid, .process = nullptr});
      [[fallthrough]];
    case Kind::unsupported:
      // The kernel tells before it takes a process down, which can last while much memory is given back: no scan shall
      // find it once more.
      known->second.ended = true;
      return;
    case Kind::unclear:
      ++counters_.too_short;
      break;
    case Kind::other:
    case Kind::unreadable:
      break;
  }
  seen_.erase(known);
}

void Discovery::forget(int pid) {
  const auto known = seen_.find(pid);
  if (known == seen_.end()) return;
  if (known->second.kind == Kind::watched && !known->second.ended) {
    tell_({.pid = pid, .process = nullptr, .unselected = selecting_});
  }
  seen_.erase(known);
}

void Discovery::look_at(int pid, bool forked) {
  const auto identity = proc_.identity(pid);
  const auto known = seen_.find(pid);
  Seen seen;
  if (known != seen_.end() && identity && *identity == known->second.identity) {
    seen.attempts = known->second.attempts + 1;
  }
  forget(pid);
  if (!identity) return;
  seen.identity = *identity;
  seen.looked_at = MonotonicClock::now();
  const auto exe = proc_.exe(pid);
  seen.exe = exe.value_or("");
  if (!exe && exe.error().kind() == ErrorKind::permission) {
    seen.kind = Kind::unreadable;
  } else if (selected(pid, seen.exe)) {
    open(pid, forked, seen);
  }
  seen_[pid] = std::move(seen);
}

void Discovery::open(int pid, bool forked, Seen& seen) {
  auto process = open_process(proc_, binaries_, pid, targets_.host_root);
  if (!process) {
    switch (process.error().kind()) {
      case ErrorKind::unsupported:
      case ErrorKind::invalid:
        seen.kind = Kind::unsupported;
        seen.reason = process.error().message();
        seen.error_kind = to_string(process.error().kind());
        return;
      case ErrorKind::permission:
        seen.kind = Kind::unreadable;
        return;
      case ErrorKind::gone:
      case ErrorKind::system:
        seen.kind = Kind::unclear;
        return;
      case ErrorKind::not_found:
        return;
    }
  }
  if (forked && seen.attempts < kForkAttempts && proc_.only_forked(pid, process->identity)) {
    seen.kind = Kind::unclear;
    return;
  }
  if (const std::string name = configured_name(process->exe); !name.empty()) process->service = name;
  seen.kind = Kind::watched;
  seen.identity = process->identity;
  tell_({.pid = pid, .process = std::make_shared<const target::GoProcess>(std::move(*process))});
}

std::vector<verdict::UnsupportedReport> Discovery::unsupported() const {
  std::vector<verdict::UnsupportedReport> found;
  for (const auto& [pid, seen] : seen_) {
    if (seen.kind == Kind::unsupported && !seen.ended) {
      found.push_back({.pid = pid, .exe = seen.exe, .reason = seen.reason, .kind = seen.error_kind});
    }
  }
  return found;
}

verdict::DiscoveryReport Discovery::counters() const {
  verdict::DiscoveryReport report = counters_;
  report.unreadable = static_cast<std::uint64_t>(std::ranges::count_if(
      seen_, [](const auto& entry) { return entry.second.kind == Kind::unreadable && !entry.second.ended; }));
  return report;
}

FoundProcesses find_processes(const target::Procfs& proc, const Config::Targets& targets) {
  FoundProcesses found;
  Discovery discovery(proc, targets, [&](const Discovery::Change& change) {
    if (change.process != nullptr) found.processes.push_back(change.process);
  });
  discovery.scan();
  found.unsupported = discovery.unsupported();
  found.unreadable = discovery.counters().unreadable;
  return found;
}

}  // namespace goleakd::daemon
