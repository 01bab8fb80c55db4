// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>

namespace goleakd {

// CLOCK_MONOTONIC as a type: what bpf_ktime_get_ns() and Go's nanotime() count. All of goleakd's reasoning uses it;
// wall time appears only where something is exported.
struct MonotonicClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;

  static time_point now() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return time_point(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
  }
};

using Instant = MonotonicClock::time_point;
using Duration = MonotonicClock::duration;

// From the nanoseconds of a kernel event or of the target's memory.
constexpr Instant instant_from_ns(std::uint64_t ns) {
  return Instant(std::chrono::nanoseconds(static_cast<std::int64_t>(ns)));
}

// CPU time of the calling thread.
inline Duration thread_cpu() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

// The relation of the two clocks at one moment, to turn an Instant into wall time at the edge.
class WallClock {
 public:
  static WallClock read() {
    WallClock c;
    c.wall_ = std::chrono::system_clock::now();
    c.monotonic_ = MonotonicClock::now();
    return c;
  }
  // Relates them as the other one does, to the millisecond: reading two clocks one after the other never does exactly.
  bool agrees(const WallClock& other) const {
    const Duration apart = (wall_ - other.wall_) - (monotonic_ - other.monotonic_);
    return std::chrono::abs(apart) < std::chrono::milliseconds(1);
  }
  // Seconds since the Unix epoch.
  double unix_seconds(Instant t) const {
    using Seconds = std::chrono::duration<double>;
    return Seconds(wall_.time_since_epoch()).count() + Seconds(t - monotonic_).count();
  }

 private:
  std::chrono::system_clock::time_point wall_;
  Instant monotonic_;
};

}  // namespace goleakd
