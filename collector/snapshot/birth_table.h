// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "snapshot/goroutine_table.h"
#include "snapshot/snapshot.h"
#include "target/process.h"

namespace goleakd::snapshot {

// The `go` statements that one process's goroutines come from, and whose those goroutines are.
class BirthTable {
 public:
  explicit BirthTable(std::shared_ptr<const target::GoProcess> process) : process_(std::move(process)) {}

  // [0] is {0, 0}: what came when there was no room for more.
  const std::vector<Birth>& births() const { return births_; }
  // Its index, or 0.
  std::uint32_t find(const Birth& birth) const;
  void add(const Birth& birth);
  // runtime.isSystemGoroutine: started by the runtime itself. Whether one that runs finalizers is doing so just now,
  // the runtime knows by a flag; from outside its frames tell, and where it has none because it is running, that it
  // does.
  bool is_system(const RawGoroutine& g, std::uint32_t birth, const Stack& stack) const;

 private:
  enum class Owner : std::uint8_t { program, runtime, runtime_at_times };

  Owner owner_of(std::uint64_t startpc) const;
  bool all_frames_are_the_runtimes(const Stack& stack) const;

  std::shared_ptr<const target::GoProcess> process_;
  std::vector<Birth> births_{1};
  std::vector<Owner> owners_{Owner::program};
  std::unordered_map<std::uint64_t, std::uint32_t> by_hash_;
};

}  // namespace goleakd::snapshot
