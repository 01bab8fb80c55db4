// SPDX-License-Identifier: Apache-2.0
#include "ledger/goroutine_groups.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "base/hex.h"

namespace goleakd::ledger {
namespace {

std::string place(const Frame& frame) {
  return frame.file.empty() ? frame.function : frame.function + " " + frame.file + ":" + std::to_string(frame.line);
}

bool plumbing(const TracebackFrame& frame) {
  constexpr std::array<std::string_view, 5> kPlumbing{"runtime.", "runtime/", "sync.", "internal/", "syscall."};
  return std::ranges::any_of(kPlumbing,
                             [&](std::string_view prefix) { return frame.frame.function.starts_with(prefix); });
}

std::string site(const GoroutineDump& g) {
  const TracebackFrame* at = blocked_frame(g);
  return (at == nullptr ? "stack unavailable" : place(at->frame)) + " [" + g.state + "]";
}

std::string object(const GoroutineDump& g) {
  if (!g.object) return "no object";
  std::string title = g.object->kind;
  if (g.object->address != 0) title += " " + hex(g.object->address);
  std::vector<std::uint64_t> channels;
  for (const ObjectDump& c : g.object->cases) channels.push_back(c.address);
  std::ranges::sort(channels);  // the order of the cases in the program's text makes no other object of it
  const char* separator = " of ";
  for (const std::uint64_t channel : channels) title += std::exchange(separator, ", ") + hex(channel);
  return title;
}

std::string title_of(const GoroutineDump& g, GroupBy by) {
  switch (by) {
    case GroupBy::state:
      return g.state;
    case GroupBy::created:
      return g.created_by ? place(g.created_by->frame) : "not created by a go statement";
    case GroupBy::object:
      return object(g);
    case GroupBy::site:
    case GroupBy::stack:
      return site(g);
  }
  return {};
}

// What makes two stacks equal, which one line cannot show.
std::string stack_key(const GoroutineDump& g) {
  std::string key = g.state;
  for (const TracebackFrame& frame : g.frames) key += "\n" + frame.frame.function + " " + hex(frame.pc);
  return key;
}

}  // namespace

const TracebackFrame* blocked_frame(const GoroutineDump& g) {
  if (g.frames.empty()) return nullptr;
  const auto outside = std::ranges::find_if_not(g.frames, plumbing);
  return outside == g.frames.end() ? &g.frames.front() : &*outside;
}

void GoroutineGroups::add(const GoroutineDump& g, std::size_t number) {
  std::string title = title_of(g, by_);
  const auto [known, fresh] = known_.try_emplace(by_ == GroupBy::stack ? stack_key(g) : title, groups_.size());
  if (fresh) groups_.push_back({.title = std::move(title), .goids = {}, .first = number});
  groups_[known->second].goids.push_back(g.goid);
}

std::vector<GoroutineGroup> GoroutineGroups::worst_first() && {
  std::ranges::sort(groups_, [](const GoroutineGroup& a, const GoroutineGroup& b) {
    return std::tuple(b.goids.size(), std::string_view(a.title), a.first) <
           std::tuple(a.goids.size(), std::string_view(b.title), b.first);
  });
  return std::move(groups_);
}

}  // namespace goleakd::ledger
