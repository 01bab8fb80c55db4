// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "ledger/ledger.h"
#include "verdict/thresholds.h"

namespace goleakd::verdict {

// The two windows over which growth is looked for: the short one finds a quick leak soon, the long one a slow one.
enum class Scale : std::uint8_t { quick, slow };
inline constexpr std::size_t kScales = 2;

// How some goroutines of a process have moved over a window.
struct Growth {
  bool holds = false;  // they grow, by the thresholds
  int intervals = 0;
  int rises = 0;           // in so many of them there were more than before
  double survival = 0;     // the share of those counted at one interval's begin who were still there at its end
  std::uint64_t from = 0;  // how many, at the window's begin
  std::uint64_t to = 0;    // and now
  double awake = 0;  // of those counted at all evaluations of the window, the share that had or wanted a processor
  // How many more there are since the window's begin, as of a Moment.
  std::int64_t connections = 0;
  std::int64_t requests = 0;
  Duration over{};
  double per_hour = 0;  // goroutines
};

// One count at one evaluation.
struct Sample {
  struct Count {
    std::uint64_t now = 0;
    std::uint64_t survived = 0;  // of those who were there one interval of the scale ago
    bool operator==(const Count&) const = default;
  };
  std::array<Count, kScales> at_scale{};  // by Scale
  std::uint64_t awake = 0;
  bool operator==(const Sample&) const = default;
};

// What is known of the whole process at one evaluation.
struct Moment {
  Instant at = Instant::min();
  ledger::Goid newest = 0;
  std::uint64_t connections = 0;  // goroutines that wait for the network, each with a connection of its own
  std::uint64_t requests = 0;     // that net/http's server has handlers at work on, their clients still there
};

// The evaluations of the longer window, of counts that have an id.
class GrowthWindow {
 public:
  explicit GrowthWindow(const Thresholds& thresholds);

  // From now on by these. What was sampled is forgotten where they have it sampled otherwise.
  void change(const Thresholds& thresholds);

  // One evaluation.
  void add(const Moment& moment, const std::map<std::string, Sample>& samples);

  // The evaluation one interval of the scale before the next one; null before there is one. The first evaluation stands
  // for earlier ones, until there have been enough.
  const Moment* interval_ago(Scale scale) const;

  // Holds a whole window, which began no earlier than `quiet_until`.
  bool complete(Scale scale, Instant quiet_until) const;

  // One that is not there has a count of 0.
  Growth of(const std::string& id, Scale scale) const;
  // The same, once the window is complete.
  std::optional<Growth> checked(const std::string& id, Scale scale, Instant quiet_until) const;

  // One interval of the scale. The slow one is a multiple of the quick one.
  Duration interval(Scale scale) const { return thresholds_.interval() * stride(scale); }

 private:
  int stride(Scale scale) const { return scale == Scale::quick ? 1 : slow_stride_; }
  std::size_t span(Scale scale) const {  // in evaluations
    return static_cast<std::size_t>(thresholds_.growing_intervals) * static_cast<std::size_t>(stride(scale));
  }

  Thresholds thresholds_;
  int slow_stride_;
  std::deque<Moment> moments_;
  // The newest is the last, as of the moments; one that is shorter began later.
  std::map<std::string, std::deque<Sample>> series_;
};

}  // namespace goleakd::verdict
