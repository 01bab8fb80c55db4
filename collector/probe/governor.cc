// SPDX-License-Identifier: Apache-2.0
#include "probe/governor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "base/duration.h"
#include "base/rate.h"
#include "bpf/wire.h"

namespace goleakd::probe {
namespace {

// Between going in and coming off there is room, so that a rate that wavers does not make probes come and go.
constexpr double kRoom = 0.7;
constexpr double kSparingRoom = 0.1;
// So often in a row a group must fit that was too dear before.
constexpr int kFitsAfterTrip = 3;
constexpr Duration kLongestHold = std::chrono::minutes(10);
constexpr double kWindowSeconds = static_cast<double>(1ULL << GOLEAKD_WINDOW_SHIFT) / 1e9;
// Of the budget that panics may take: a program that panics so often does it by habit, and its goroutines tell more.
constexpr double kPanicsPart = 0.25;
constexpr double kStormOverBudget = 4;
constexpr double kStormSeconds = 0.005;  // of CPU time in one window; what is less is over before anybody notices

// "0.84 %", "137 %": two digits that count.
std::string percent(double ratio) {
  std::array<char, 32> text{};
  const double value = ratio * 100;
  std::snprintf(text.data(), text.size(), "%.*f %%", value < 10 ? 2 : 0, value);
  return text.data();
}

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

Governor::Governor(const Budget& budget, Handling handling, double hit_seconds)
    : budget_(budget), handling_(handling), hit_seconds_(hit_seconds) {
  for (State& state : states_) state.hold = budget.hold;
  overhead_.used = budget.idle_cores;
}

std::uint32_t Governor::storm_hits() const {
  const double allowed = budget_.max_overhead * overhead_.used * kWindowSeconds;
  return static_cast<std::uint32_t>(std::ceil(std::max(kStormOverBudget * allowed, kStormSeconds) / hit_seconds_));
}

std::uint32_t Governor::panic_storm_hits() const {
  return static_cast<std::uint32_t>(std::ceil(storm_hits() / kPanicPrice));
}

bool Governor::affords_half_more(Group group) const {
  const auto& predicted = predicted_[static_cast<std::size_t>(group)];
  return predicted && affords(*predicted / 2 / hit_seconds_);
}

bool Governor::affords(double hits_per_second) const {
  return handling_ == Handling::quick &&
         overhead_.measured + hits_per_second * hit_seconds_ <= kRoom * budget_.max_overhead * overhead_.used;
}

bool Governor::read(const Reading& reading) {
  const bool tells = previous_ && reading.at > previous_->at && reading.counted_at > previous_->counted_at;
  if (tells) {
    const double elapsed = seconds(reading.at - previous_->at);
    overhead_.used = std::max(seconds(reading.cpu - previous_->cpu) / elapsed, budget_.idle_cores);
    const auto cost = [&](double hits) { return hits * hit_seconds_; };
    const Duration counted = reading.counted_at - previous_->counted_at;
    const auto spawns = rate(previous_->spawned, reading.spawned, counted);
    const auto turns = rate(previous_->scheduled, reading.scheduled, counted);
    // Each goroutine is spawned and exits. Each turn to run ends with a park and began with a wake, but the first one,
    // which its spawn began.
    predicted_ = {spawns ? std::optional(cost(2 * *spawns)) : std::nullopt,
                  spawns && turns ? std::optional(cost(std::max(2 * *turns - *spawns, 0.0))) : std::nullopt};
    overhead_.predicted.reset();
    if (spawns && turns) overhead_.predicted = *predicted_[0] + *predicted_[1];
    overhead_.measured = 0;
    for (std::size_t i = 0; i < kLasting; ++i) {
      const std::uint64_t hits = reading.hits[i] - std::min(previous_->hits[i], reading.hits[i]);
      measured_[i] = static_cast<double>(hits) / elapsed * hit_seconds_;
      overhead_.measured += measured_[i];
    }
    const std::uint64_t panics = reading.panic_hits - std::min(previous_->panic_hits, reading.panic_hits);
    panics_measured_ = kPanicPrice * cost(static_cast<double>(panics) / elapsed);
    overhead_.measured += panics_measured_;
    take_away(reading.at);
    let_in(reading.at);
    let_panics_in(reading.at);
  }
  previous_ = reading;
  return tells;
}

// The least telling ones first, until the others fit.
void Governor::take_away(Instant at) {
  const double allowed = budget_.max_overhead * overhead_.used;
  double cost = overhead_.measured;
  if (panics_measured_ > kPanicsPart * allowed && wants(Group::panics)) {
    trip(Group::panics, at,
         "its probes cost " + percent(overhead_.ratio(panics_measured_)) +
             " of its CPU time, their part of the budget is " + percent(kPanicsPart * budget_.max_overhead));
  }
  if (!wants(Group::panics)) cost -= panics_measured_;  // now, or since a storm
  for (std::size_t i = kLasting; i-- > 0 && cost > allowed;) {
    cost -= measured_[i];
    if (states_[i].wanted) {
      trip(static_cast<Group>(i), at,
           "its probes cost " + percent(overhead_.ratio(overhead_.measured)) + " of its CPU time, the budget is " +
               percent(budget_.max_overhead));
    }
  }
}

void Governor::trip(Group group, Instant at, std::string why) {
  State& tripped = state(group);
  ++trips_;
  // Soon after it came back: it was let in too early.
  const bool again = tripped.tripped && at - tripped.wanted_since < kLongestHold;
  tripped.hold = again ? std::min(tripped.hold * 2, kLongestHold) : budget_.hold;
  tripped.hold_until = at + tripped.hold;
  tripped.tripped = true;
  tripped.wanted = false;
  tripped.fits = 0;
  tripped.tripped_by = std::move(why);
  if (handling_ == Handling::quick) tripped.tripped_by += "; looked at again after " + format_duration(tripped.hold);
  tripped.why_not = tripped.tripped_by;
  if (group != Group::spawn_exit) return;
  State& parks = state(Group::park_unpark);
  if (parks.wanted) parks.why_not = "spawn and exit are not probed";
  parks.wanted = false;
  parks.fits = 0;
}

void Governor::storm(Group group, Instant at) {
  if (!state(group).wanted) return;
  const std::uint32_t limit = group == Group::panics ? panic_storm_hits() : storm_hits();
  trip(group, at,
       "its probes were hit in a storm, more than " + std::to_string(limit) + " times in " +
           std::to_string(std::lround(kWindowSeconds * 1e3)) + " ms on one CPU");
}

void Governor::let_panics_in(Instant at) {
  State& panics = state(Group::panics);
  if (panics.wanted || at < panics.hold_until || (handling_ == Handling::sparing && panics.tripped)) return;
  panics.wanted = true;
  panics.why_not.clear();
  panics.wanted_since = at;
}

// The most telling ones first, as long as all together fit.
void Governor::let_in(Instant at) {
  double cost = wants(Group::panics) ? panics_measured_ : 0;
  for (std::size_t i = 0; i < kLasting; ++i) {
    const auto group = static_cast<Group>(i);
    State& state = states_[i];
    if (!state.wanted) {
      state.why_not = obstacle(group, cost, at);
      state.wanted = state.why_not.empty();
      if (!state.wanted) {
        for (std::size_t rest = i + 1; rest < kLasting; ++rest) {
          states_[rest].fits = 0;
          states_[rest].why_not = std::string(to_string(group)) + " do not fit the budget already";
        }
        return;
      }
      state.wanted_since = at;
      state.tripped_by.clear();
    }
    cost += std::max(measured_[i], predicted_[i].value_or(0));
  }
}

// Why the group does not go in beside those that cost `others`; empty when it does.
std::string Governor::obstacle(Group group, double others, Instant at) {
  State& own = state(group);
  const bool sparing = handling_ == Handling::sparing;
  if (sparing && group == Group::park_unpark) {
    return "this kernel's perf-event probes come off too slowly for what is hit so often";
  }
  if ((sparing && own.tripped) || at < own.hold_until) return own.tripped_by;
  const auto& predicted = predicted_[static_cast<std::size_t>(group)];
  if (!predicted) return "how often its probes would be hit can't be read from its memory";
  const double room = (sparing ? kSparingRoom : kRoom) * budget_.max_overhead;
  if (others + *predicted > room * overhead_.used) {
    own.fits = 0;
    return "its probes would cost " + percent(overhead_.ratio(others + *predicted)) + " of its CPU time; below " +
           percent(room) + " they go in, the budget is " + percent(budget_.max_overhead);
  }
  const int wanted = own.tripped ? kFitsAfterTrip : 1;
  if (++own.fits >= wanted) return "";
  return "its probes were too dear, and have fitted the budget again for " + std::to_string(own.fits) + " of " +
         std::to_string(wanted) + " looks";
}

}  // namespace goleakd::probe
