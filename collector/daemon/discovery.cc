// SPDX-License-Identifier: Apache-2.0
#include "daemon/discovery.h"

#include <unistd.h>

#include <algorithm>
#include <set>

namespace goleakd::daemon {

bool Discovery::selected(int pid, const std::string& exe) const {
  if (pid == ::getpid()) return false;
  if (!targets_.pids.empty() && std::ranges::find(targets_.pids, pid) == targets_.pids.end()) return false;
  return (targets_.include.empty() || matches_any(targets_.include, exe)) && !matches_any(targets_.exclude, exe);
}

Discovery::Changes Discovery::scan() {
  Changes changes;
  std::set<int> running;
  for (const int pid : proc_.pids()) {
    const auto identity = proc_.identity(pid);
    if (!identity) continue;
    running.insert(pid);
    const auto known = seen_.find(pid);
    if (known != seen_.end() && known->second.identity == *identity) continue;
    if (known != seen_.end() && known->second.watched) changes.ended.push_back(pid);
    Seen seen{
        .identity = *identity, .exe = proc_.exe(pid).value_or(""), .watched = false, .unsupported = {}, .kind = {}};
    if (!selected(pid, seen.exe) || look_at(pid, seen, changes)) {
      seen_[pid] = std::move(seen);
    } else {
      seen_.erase(pid);
    }
  }
  std::erase_if(seen_, [&](const auto& entry) {
    const bool ended = !running.contains(entry.first);
    if (ended && entry.second.watched) changes.ended.push_back(entry.first);
    return ended;
  });
  return changes;
}

bool Discovery::look_at(int pid, Seen& seen, Changes& changes) {
  auto process = target::GoProcess::open(proc_, binaries_, pid);
  if (!process) {
    // Other people's processes that are no Go programs are not worth a word; whether they are, only reading them tells.
    const ErrorKind kind = process.error().kind();
    if (kind == ErrorKind::unsupported || kind == ErrorKind::invalid) {
      seen.unsupported = process.error().message();
      seen.kind = to_string(kind);
    }
    return kind != ErrorKind::gone && kind != ErrorKind::system;
  }
  const auto rule =
      std::ranges::find_if(targets_.services, [&](const ServiceRule& r) { return matches_any({r.exe}, seen.exe); });
  if (rule != targets_.services.end()) process->service = rule->name;
  seen.watched = true;
  changes.appeared.push_back(std::make_shared<const target::GoProcess>(std::move(*process)));
  return true;
}

std::vector<verdict::UnsupportedReport> Discovery::unsupported() const {
  std::vector<verdict::UnsupportedReport> found;
  for (const auto& [pid, seen] : seen_) {
    if (!seen.unsupported.empty()) {
      found.push_back({.pid = pid, .exe = seen.exe, .reason = seen.unsupported, .kind = seen.kind});
    }
  }
  return found;
}

}  // namespace goleakd::daemon
