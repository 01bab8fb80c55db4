// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/result.h"
#include "base/unique_fd.h"
#include "daemon/exit_notices.h"

namespace goleakd::daemon {

// A process of its own that lets everybody go once this one has ended, however that came about: without a listener no
// process under the filter could exit any more (the call would fail). It ends with the last of them.
class ExitKeeper {
 public:
  // Shares the listener.
  static Result<ExitKeeper> start(int listener);
  // Nobody is left under the filter: takes the process away at once. Otherwise it outlives this object.
  void dismiss();

  // A notice that has been received, until it is answered: nobody but its receiver knows its id.
  void received(std::uint64_t id);
  void answered(std::uint64_t id);

 private:
  static constexpr std::size_t kSlots = 4096;
  struct Shared;
  struct Unmap {
    void operator()(Shared* shared) const;
  };

  ExitKeeper(int pid, UniqueFd life, std::unique_ptr<Shared, Unmap> shared)
      : pid_(pid), life_(std::move(life)), shared_(std::move(shared)) {}
  [[noreturn]] static void keep(int life, int listener, const Shared& shared);

  int pid_;
  UniqueFd life_;  // its other end tells the keeper that we are gone
  std::unique_ptr<Shared, Unmap> shared_;
};

}  // namespace goleakd::daemon
