// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <utility>

#include "verdict/report.h"

namespace goleakd::daemon {

// Where the loop puts its newest report, and other threads find it.
class ReportBoard {
 public:
  // Null before the first.
  verdict::ReportPtr newest() const {
    const std::lock_guard lock(mutex_);
    return report_;
  }
  void publish(verdict::ReportPtr report) {
    const std::lock_guard lock(mutex_);
    report_ = std::move(report);
  }

 private:
  mutable std::mutex mutex_;
  verdict::ReportPtr report_;
};

}  // namespace goleakd::daemon
