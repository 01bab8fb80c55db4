// SPDX-License-Identifier: Apache-2.0
#include "verdict/deadlock.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace goleakd::verdict {
namespace {

using ledger::Goid;

// Sets of nodes that reach each other, each of two or more, or of one that reaches itself: Tarjan's algorithm
// (Depth-first search and linear graph algorithms, SIAM J. Comput. 1972), without recursion. `next` by node.
class Cycles {
 public:
  explicit Cycles(const std::vector<std::vector<std::size_t>>& next)
      : next_(next), number_(next.size(), kUnseen), lowest_(next.size()), open_(next.size()) {}

  std::vector<std::vector<std::size_t>> find() {
    for (std::size_t node = 0; node < next_.size(); ++node) {
      if (number_[node] == kUnseen) visit(node);
    }
    return std::move(found_);
  }

 private:
  static constexpr std::size_t kUnseen = ~std::size_t{0};
  struct Step {
    std::size_t node;
    std::size_t edge;  // the next one to follow
  };

  void enter(std::size_t node) {
    number_[node] = lowest_[node] = count_++;
    open_[node] = true;
    path_.push_back(node);
    steps_.push_back({.node = node, .edge = 0});
  }

  void visit(std::size_t start) {
    enter(start);
    while (!steps_.empty()) {
      const auto [node, edge] = steps_.back();
      if (edge < next_[node].size()) {
        ++steps_.back().edge;
        const std::size_t other = next_[node][edge];
        if (number_[other] == kUnseen) {
          enter(other);
        } else if (open_[other]) {
          lowest_[node] = std::min(lowest_[node], number_[other]);
        }
        continue;
      }
      steps_.pop_back();
      if (!steps_.empty()) lowest_[steps_.back().node] = std::min(lowest_[steps_.back().node], lowest_[node]);
      if (lowest_[node] == number_[node]) close(node);
    }
  }

  void close(std::size_t first) {
    const auto from = std::ranges::find(path_, first);
    std::vector<std::size_t> nodes(from, path_.end());
    path_.erase(from, path_.end());
    for (const std::size_t node : nodes) open_[node] = false;
    if (nodes.size() > 1) found_.push_back(std::move(nodes));
  }

  const std::vector<std::vector<std::size_t>>& next_;
  std::vector<std::size_t> number_;  // in which they were met
  std::vector<std::size_t> lowest_;  // number that is reached from there
  std::vector<bool> open_;           // it is in path_
  std::vector<std::size_t> path_;
  std::vector<Step> steps_;
  std::size_t count_ = 0;
  std::vector<std::vector<std::size_t>> found_;
};

class Search {
 public:
  explicit Search(const LockGraph& graph) : graph_(graph), holders_of_(graph.locks.size()) {
    for (std::size_t i = 0; i < graph.holders.size(); ++i) holders_of_[graph.holders[i].lock].push_back(i);
  }

  std::vector<Deadlock> run(const std::function<bool(Goid)>& stuck) {
    for (std::size_t i = 0; i < graph_.waiters.size(); ++i) {
      if (stuck(graph_.waiters[i].goid)) waits_.emplace(graph_.waiters[i].goid, i);
    }
    drop_who_may_go_on();
    std::vector<Deadlock> found;
    for (const std::vector<Goid>& cycle : cycles()) found.push_back(describe(cycle));
    return found;
  }

 private:
  // It is not released for as long as all who are left in waits_ stay.
  bool stays_held(std::size_t lock) const {
    std::set<Goid> holders;
    for (const std::size_t i : holders_of_[lock]) {
      if (!waits_.contains(graph_.holders[i].goid)) return false;
      holders.insert(graph_.holders[i].goid);
    }
    const std::int64_t needed = graph_.locks[lock].counter.value_or(1);
    return static_cast<std::int64_t>(holders.size()) >= std::max<std::int64_t>(needed, 1);
  }

  void drop_who_may_go_on() {
    for (bool dropped = true; dropped;) {
      std::vector<bool> stays(graph_.locks.size());
      for (std::size_t lock = 0; lock < stays.size(); ++lock) stays[lock] = stays_held(lock);
      dropped = std::erase_if(waits_, [&](const auto& entry) { return !stays[graph_.waiters[entry.second].lock]; }) > 0;
    }
  }

  // Locks are nodes too, the first ones: from a waiter to its lock, from the lock to those who hold it. So there are
  // few edges, however many wait for one that many hold.
  std::vector<std::vector<Goid>> cycles() const {
    std::vector<std::vector<std::size_t>> next(graph_.locks.size());
    std::vector<Goid> goids;
    std::map<Goid, std::size_t> nodes;
    for (const auto& [goid, waiter] : waits_) {
      nodes.emplace(goid, next.size());
      goids.push_back(goid);
      next.push_back({graph_.waiters[waiter].lock});
    }
    for (std::size_t lock = 0; lock < graph_.locks.size(); ++lock) {
      for (const std::size_t i : holders_of_[lock]) {
        if (const auto node = nodes.find(graph_.holders[i].goid); node != nodes.end())
          next[lock].push_back(node->second);
      }
    }
    std::vector<std::vector<Goid>> found;
    for (const std::vector<std::size_t>& cycle : Cycles(next).find()) {
      std::vector<Goid>& members = found.emplace_back();
      for (const std::size_t node : cycle) {
        if (node >= graph_.locks.size()) members.push_back(goids[node - graph_.locks.size()]);
      }
      std::ranges::sort(members);
    }
    return found;
  }

  Deadlock describe(const std::vector<Goid>& cycle) const {
    std::set<std::size_t> locks;  // that they wait for
    std::map<Goid, Deadlock::Member> members;
    for (const Goid goid : cycle) {
      const std::size_t waiter = waits_.at(goid);
      locks.insert(graph_.waiters[waiter].lock);
      members.emplace(goid, Deadlock::Member{.waiter = waiter, .holders = {}});
    }
    for (const std::size_t lock : locks) {
      for (const std::size_t i : holders_of_[lock]) {
        if (const auto member = members.find(graph_.holders[i].goid); member != members.end())
          member->second.holders.push_back(i);
      }
    }
    Deadlock deadlock;
    for (const LockGraph::Waiter& waiter : graph_.waiters) {
      if (locks.contains(waiter.lock) && !members.contains(waiter.goid)) deadlock.behind.push_back(waiter.goid);
    }
    for (auto& [goid, member] : members) deadlock.members.push_back(std::move(member));
    return deadlock;
  }

  const LockGraph& graph_;
  std::vector<std::vector<std::size_t>> holders_of_;  // by lock: indices into graph_.holders
  std::map<Goid, std::size_t> waits_;                 // who is stuck, so far: index into graph_.waiters
};

}  // namespace

std::vector<Deadlock> find_deadlocks(const LockGraph& graph, const std::function<bool(ledger::Goid)>& stuck) {
  return Search(graph).run(stuck);
}

}  // namespace goleakd::verdict
