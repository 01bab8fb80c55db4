// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ledger/goroutine_dump.h"

namespace goleakd::ledger {

// Where it is, for people: the innermost frame outside the runtime, sync and the standard library's inner plumbing, as
// snapshot::blocked_frame finds it; the innermost of all where there is no other. Null without a stack.
const TracebackFrame* blocked_frame(const GoroutineDump& g);

// What the goroutines of one group have in common.
enum class GroupBy {
  site,     // where they are (the innermost frame outside the runtime, sync and the like), and their state
  state,    // their state
  created,  // the `go` statement
  object,   // what they wait on; of a select: all of its channels
  stack,    // every frame, and their state
};

struct GoroutineGroup {
  std::string title;        // what they have in common, on one line
  std::vector<Goid> goids;  // in the order in which they were added
  std::size_t first = 0;    // the number that the first of them was added with
};

// Sorts goroutines into groups while they pass by.
class GoroutineGroups {
 public:
  explicit GoroutineGroups(GroupBy by) : by_(by) {}

  // `number` is the caller's own, to find an example of each group again.
  void add(const GoroutineDump& g, std::size_t number);
  // Largest first, equal ones by title.
  std::vector<GoroutineGroup> worst_first() &&;

 private:
  GroupBy by_;
  std::unordered_map<std::string, std::size_t> known_;  // index into groups_, by what makes the group
  std::vector<GoroutineGroup> groups_;
};

}  // namespace goleakd::ledger
