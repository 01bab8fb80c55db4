// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "bpf/wire.h"

namespace goleakd::probe {

// Probes that tell something only together: put in and taken away as one. In the order of how much they tell for what
// they cost.
enum class Group : std::uint8_t {
  spawn_exit,
  park_unpark,
  panics,    // and recoveries
  deaths,    // hit once: what the program says when it dies. Each for itself
  spawners,  // only while a suspect's go statement is to be caught in the act
  wakers,    // only while it is to be seen who wakes a suspect's goroutines
  objects,   // only while it is to be seen who touches what a suspect's goroutines wait on
};
inline constexpr std::size_t kGroups = 7;
// Those that the ledger is fed by, which stay in place as long as they fit the budget; Group counts them first.
inline constexpr std::array kLastingGroups{Group::spawn_exit, Group::park_unpark};
inline constexpr std::size_t kLasting = kLastingGroups.size();
std::string_view to_string(Group group);  // for people: "spawn and exit"

// An instruction of the Go runtime, by the function that it stands in.
struct Place {
  goleakd_point point{};
  std::string_view function;
  std::string_view callee;  // the calls to this function; empty: the cheap instruction next to the entry
};

// One row of the table of what is probed.
struct ProbePoint {
  goleakd_kind kind{};
  Group group{};
  Place place;
  // Where the program does not have `place`, or a form of it that is not known; may be empty. In the same function: for
  // each copy of its code that was inlined into another.
  Place otherwise;
  int first_minor = 0;
  int last_minor = 0;      // Go 1.first_minor to 1.last_minor
  bool if_linked = false;  // a program that does not use it does not have it either
  bool cold = false;       // hit so rarely that an instruction which the kernel single-steps will do
};
std::span<const ProbePoint> probe_points();

// The label `probe` of a kind's metrics: "spawn".
std::string_view to_string(goleakd_kind kind);

}  // namespace goleakd::probe
