// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "bpf/wire.h"

namespace goleakd::probe {

// Who has which slot of the BPF programs' maps. Any thread may give one back.
class Slots {
 public:
  // Nothing when all are taken. Round robin, so that a slot is used again only long after the last event of its former
  // target has left the ring.
  std::optional<std::uint16_t> take() {
    const std::lock_guard lock(mutex_);
    for (std::size_t tried = 0; tried < taken_.size(); ++tried) {
      const std::size_t slot = next_;
      next_ = (next_ + 1) % taken_.size();
      if (taken_[slot]) continue;
      taken_[slot] = true;
      return static_cast<std::uint16_t>(slot);
    }
    return std::nullopt;
  }
  void give_back(std::uint16_t slot) {
    const std::lock_guard lock(mutex_);
    taken_[slot] = false;
  }

 private:
  std::mutex mutex_;
  std::vector<bool> taken_ = std::vector<bool>(GOLEAKD_SLOTS);
  std::size_t next_ = 0;
};

}  // namespace goleakd::probe
